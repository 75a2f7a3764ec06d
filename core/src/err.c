#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef chief__fail
#undef chief__fail_about
#undef chief__fail_code

#define TEXT_SIZE 1024
#define NAME_MAX_LEN 64

static _Thread_local char text[TEXT_SIZE];

uint32_t chief_abi(void) { return CHIEF_ABI; }

const char *chief_version(void) { return CHIEF_VERSION; }

const char *chief_strerror(int code) {
    switch (code) {
    case CHIEF_OK: return "ok";
    case CHIEF_WORKER_WRONG_STATE_CHANGE: return "wrong state change";
#define CASE(name, number, word, description) \
    case CHIEF_##name: return description;
        CHIEF_ERROR_MAP(CASE)
#undef CASE
    default: return "unknown error";
    }
}

const char *chief_error_code(int code) {
    switch (code) {
    case CHIEF_OK: return "ok";
    case CHIEF_WORKER_WRONG_STATE_CHANGE: return "wrong_state_change";
#define CASE(name, number, word, description) \
    case CHIEF_##name: return word;
        CHIEF_ERROR_MAP(CASE)
#undef CASE
    default: return "unknown";
    }
}

const char *chief_last_error(void) { return text; }

size_t chief_last_error_take(char *buf, size_t size) {
    size_t len = strlen(text);
    if (buf != NULL && size > 0) {
        size_t n = len < size ? len : size - 1;
        memcpy(buf, text, n);
        buf[n] = '\0';
    }
    text[0] = '\0';
    return len;
}

int chief__fail(int code, const char *format, ...) {
    /* An argument may be the old text itself, so the new one is made beside it. */
    char made[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(made, sizeof made, format, args);
    va_end(args);
    memcpy(text, made, strlen(made) + 1);
    return code;
}

/* Puts `s` there, as much of it as there is room for, and says where it ends. */
static char *append(char *at, const char *s) {
    size_t room = (size_t)(text + TEXT_SIZE - 1 - at);
    size_t len = strnlen(s, room);
    memcpy(at, s, len);
    at[len] = '\0';
    return at + len;
}

int chief__fail_about(int code, const char *what, const char *name, const char *says) {
    char *at = append(append(append(text, what), " \""), name);
    (void)append(append(at, "\""), says);
    return code;
}

int chief_set_last_error(int code, const char *text_of_caller) {
    return chief__fail(code, "%s", text_of_caller == NULL ? chief_strerror(code) : text_of_caller);
}

int chief__fail_code(int code) {
    (void)append(text, chief_strerror(code));
    return code;
}

static bool all_zero(const unsigned char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0) return false;
    return true;
}

int chief__options_read(void *out, size_t want, const void *given, const char *what) {
    uint32_t size = 0;
    memset(out, 0, want);
    if (given != NULL) {
        memcpy(&size, given, sizeof size);
        if (size < sizeof size) return chief__fail(CHIEF_EINVAL, "%s: size is not set", what);
        if (size > want && !all_zero((const unsigned char *)given + want, size - want))
            return chief__fail(CHIEF_EINVAL, "%s: has fields that this version (%s) does not know", what,
                               CHIEF_VERSION);
        memcpy(out, given, size < want ? size : want);
    }
    size = (uint32_t)want;
    memcpy(out, &size, sizeof size);
    return CHIEF_OK;
}

int chief__options_write(void *out, const void *own, size_t have, const char *what) {
    uint32_t size;
    memcpy(&size, out, sizeof size);
    if (size < sizeof size) return chief__fail(CHIEF_EINVAL, "%s: size is not set", what);
    memset((char *)out + sizeof size, 0, size - sizeof size);
    if (own != NULL)
        memcpy((char *)out + sizeof size, (const char *)own + sizeof size, (size < have ? size : have) - sizeof size);
    return CHIEF_OK;
}

static bool name_byte(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

int chief__name_check(const char *name, const char *what) {
    if (name == NULL || name[0] == '\0') return chief__fail(CHIEF_EINVAL, "%s name is empty", what);
    size_t len = strlen(name);
    if (len > NAME_MAX_LEN)
        return chief__fail(CHIEF_EINVAL, "%s name \"%.16s...\" is longer than %d bytes", what, name, NAME_MAX_LEN);
    for (size_t i = 0; i < len; i++)
        if (!name_byte(name[i]) && (i == 0 || (name[i] != '.' && name[i] != '-')))
            return chief__fail(CHIEF_EINVAL,
                               "%s name \"%s\" should be letters, digits, '_', '.' or '-', and begin with one of the "
                               "first three",
                               what, name);
    return CHIEF_OK;
}
