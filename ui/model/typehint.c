#include "typehint.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "macro.h"
#include "text.h"
#include "typehint_verbs.h"

#define BETWEEN "   "

const char *typehint_prompt(const struct record *r, unsigned mode)
{
    if (r->session == SMTP_CLOSED) {
        return _("(off)>");
    }
    if ((mode & TYPEHINT_RAW) != 0) {
        return r->session_tls ? "RAW~>" : "RAW>";
    }
    if (r->expects_text) {
        return "DATA>";
    }
    if (r->session == SMTP_CONTINUATION) {
        return (mode & TYPEHINT_ENCODE) != 0 ? "b64>" : "334>";
    }
    return r->session_tls ? "SMTP~>" : "SMTP>";
}

bool typehint_is_macro(const struct record *r, unsigned mode, const char *line)
{
    if (r->session == SMTP_CONTINUATION && (mode & TYPEHINT_ENCODE) != 0) {
        return strcmp(line, ":b64") == 0;
    }
    return macro_is_one(line) && (!r->expects_text || (mode & TYPEHINT_RAW) != 0);
}

bool typehint_dangerous(const struct record *r, unsigned mode, const char *line)
{
    const char *args = "";
    if (typehint_is_macro(r, mode, line)) {
        const struct macro *m = &macros[macro_find(line, &args)];
        /* Alone, those that may have something behind them only open a box. */
        return m->twice && (m->kind == MACRO_NOTHING || args[0] != '\0');
    }
    /* Who counts bytes knows what they do. */
    if (r->expects_text || r->session == SMTP_CONTINUATION || (mode & TYPEHINT_RAW) != 0) {
        return false;
    }
    const struct verb *verb = typehint_verb(line);
    bool auth_in_clear = typehint_starts(line, "AUTH ") && !r->session_tls;
    return auth_in_clear || (verb != NULL && verb->dangerous);
}

static size_t join(const struct typehint *hint, unsigned parts, char *out, size_t size)
{
    const char *const texts[] = {hint->grammar, hint->remark, hint->likely};
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(texts) && at + 1 < size; i++) {
        if ((parts & (1u << i)) != 0 && texts[i][0] != '\0') {
            int n = snprintf(out + at, size - at, "%s%s", at > 0 ? BETWEEN : "", texts[i]);
            at += n > 0 ? (size_t)n : 0;
        }
    }
    return escape_columns(out, strlen(out), 0);
}

void typehint_join(const struct typehint *hint, int columns, char *out, size_t size)
{
    /* Grammar 1, remark 2, likely 4. The remark says what is wrong, so it is never the one to go.
     */
    static const unsigned with_remark[] = {7, 3, 6, 2};
    static const unsigned without[] = {5, 1};
    bool remark = hint->remark[0] != '\0';
    const unsigned *choice = remark ? with_remark : without;
    size_t left = remark ? ARRAY_LEN(with_remark) : ARRAY_LEN(without);
    while (join(hint, *choice, out, size) > (size_t)(columns > 0 ? columns : 0) && --left > 0) {
        choice++;
    }
}
