//! A worker in Rust asks one in Lua: `cargo run --example hello`.
use chief::{worker_fn, Chief, LuaOptions, WorkerOptions};

fn main() -> chief::Result<()> {
    let chief = Chief::new()?;
    let modules = LuaOptions::new().path(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/workers/?.lua"));
    chief.add_lua_worker("greeter", "greeter", &modules)?;
    let asks = worker_fn(|ctx| {
        for name in ["Ada", "Grace"] {
            let greeting: String = ctx.call("greeter", name, None)?.get()?;
            println!("{greeting}");
        }
        Ok(())
    });
    chief.add_worker_with("asks", asks, &WorkerOptions::new().after(["greeter"]))?;
    chief.init_workers(None)?;
    chief.launch(None)?;
    chief.wait_state("asks", chief::State::Stopped, None)?;
    chief.stop()?;
    chief.join()
}
