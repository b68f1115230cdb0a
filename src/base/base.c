#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

/* Longer than error.text, so that cutting is done by escape_copy at a character border. */
#define ERROR_RAW_MAX 512

static const char *const status_names[] = {
#define X(id, text) text,
    STATUS_LIST(X)
#undef X
};

const char *status_name(enum status status)
{
    size_t i = (size_t)status;
    return i < ARRAY_LEN(status_names) ? status_names[i] : N_("unknown status");
}

const char *status_word(enum status status)
{
    return _(status_name(status));
}

enum status error_set(struct error *e, enum status code, int sys, const char *fmt, ...)
{
    if (e == NULL) {
        return code;
    }
    char raw[ERROR_RAW_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    if (n < 0) {
        raw[0] = '\0';
    }
    e->code = code;
    e->sys = sys;
    /* The arguments may be file names or a server's words. Escaping here again costs nothing: text
       that was escaped before goes through unchanged. */
    escape_copy(e->text, sizeof(e->text), raw, strlen(raw), 0);
    return code;
}
