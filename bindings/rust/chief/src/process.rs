//! Workers in processes of their own.
use std::mem;
use std::ptr;

use chief_sys as sys;

use crate::cstr::{OptionalText, TextList};
use crate::error::Result;

/// How the child of a worker is started. A limit that is not set is as the chief's own, `None` is no limit at all.
#[derive(Clone, Debug, Default)]
pub struct Process {
    argv: Vec<String>,
    spec: Vec<u8>,
    env: Vec<String>,
    cwd: Option<String>,
    user: Option<String>,
    group: Option<String>,
    restart_on_fail: bool,
    umask: i64,
    memory: i64,
    cpu: i64,
    files: i64,
    file_size: i64,
    processes: i64,
    core: i64,
}

fn limit(value: Option<u32>) -> i64 {
    value.map_or(sys::CHIEF_ZERO, i64::from)
}

impl Process {
    pub fn new() -> Self {
        Self::default()
    }

    /// The program and its arguments; without it the host that belongs to the worker: Lua's or that of plug-ins.
    pub fn argv<S: Into<String>>(mut self, argv: impl IntoIterator<Item = S>) -> Self {
        self.argv = argv.into_iter().map(Into::into).collect();
        self
    }

    /// What a program of one's own is told to run.
    pub fn spec(mut self, spec: impl Into<Vec<u8>>) -> Self {
        self.spec = spec.into();
        self
    }

    /// One more environment variable, before those of the chief.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push(format!("{name}={value}"));
        self
    }

    /// The folder that it starts in.
    pub fn cwd(mut self, folder: impl Into<String>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Whom it becomes, a name or a number.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Without it that of the user.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Restarted after a failure, where the options say nothing.
    pub fn restart_on_fail(mut self) -> Self {
        self.restart_on_fail = true;
        self
    }

    pub fn umask(mut self, mask: u32) -> Self {
        self.umask = if mask == 0 { sys::CHIEF_ZERO } else { mask.into() };
        self
    }

    /// Bytes of address space.
    pub fn memory(mut self, bytes: Option<u64>) -> Self {
        self.memory = bytes.map_or(sys::CHIEF_ZERO, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self
    }

    /// Seconds of processor time.
    pub fn cpu(mut self, seconds: Option<u32>) -> Self {
        self.cpu = limit(seconds);
        self
    }

    /// Open descriptors.
    pub fn files(mut self, files: Option<u32>) -> Self {
        self.files = limit(files);
        self
    }

    /// Bytes of a file that it writes.
    pub fn file_size(mut self, bytes: Option<u64>) -> Self {
        self.file_size = bytes.map_or(sys::CHIEF_ZERO, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self
    }

    /// Processes of its user.
    pub fn processes(mut self, processes: Option<u32>) -> Self {
        self.processes = limit(processes);
        self
    }

    /// Bytes of a core dump.
    pub fn core(mut self, bytes: Option<u32>) -> Self {
        self.core = limit(bytes);
        self
    }

    pub(crate) fn with_raw<R>(&self, call: impl FnOnce(&sys::chief_process) -> Result<R>) -> Result<R> {
        let argv = TextList::new(&self.argv)?;
        let env = TextList::new(&self.env)?;
        let cwd = OptionalText::new(self.cwd.as_deref())?;
        let user = OptionalText::new(self.user.as_deref())?;
        let group = OptionalText::new(self.group.as_deref())?;
        call(&sys::chief_process {
            size: mem::size_of::<sys::chief_process>() as u32,
            restart_on_fail: self.restart_on_fail.into(),
            argv: argv.as_ptr(),
            n_argv: argv.len(),
            spec: sys::chief_bytes { data: self.spec.as_ptr().cast(), len: self.spec.len() },
            env: env.as_ptr(),
            n_env: env.len(),
            cwd: cwd.as_ptr(),
            user: user.as_ptr(),
            group: group.as_ptr(),
            umask: self.umask,
            memory: self.memory,
            cpu: self.cpu,
            files: self.files,
            file_size: self.file_size,
            processes: self.processes,
            core: self.core,
        })
    }

    pub(crate) fn with_optional_raw<R>(
        process: Option<&Self>,
        call: impl FnOnce(*const sys::chief_process) -> Result<R>,
    ) -> Result<R> {
        match process {
            None => call(ptr::null()),
            Some(process) => process.with_raw(|raw| call(raw)),
        }
    }
}
