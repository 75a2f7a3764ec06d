/*
 * log: loggers, and the built-in sink that writes lines to stderr.
 */
#ifndef CHIEF_LOG_H
#define CHIEF_LOG_H

#include "json.h"

#pragma GCC visibility push(hidden)

/* The lines of the built-in sink, without writing them. A line of text never has a raw line break but those that
 * begin with four spaces (a traceback). */
void chief__log_text(chief__writer *w, const chief_record *record);
void chief__log_json(chief__writer *w, const chief_record *record);

/* The logger of who was given none: text to stderr, with service=worker-chief. */
int chief__log_default(chief_log **out);

/* The least level that is written now. */
int32_t chief__log_level(const chief_log *log);

/* As chief_log_write, of a record that was made at this wall-clock time. */
void chief__log_write_at(chief_log *log, int32_t level, int64_t time_ms, const char *message, const chief_field *fields,
                         size_t n);

/* A wall-clock time as 2026-11-24T08:15:00.000Z. */
void chief__put_time(chief__writer *w, int64_t ms);

#pragma GCC visibility pop
#endif
