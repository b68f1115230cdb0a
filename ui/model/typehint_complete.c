#include "typehint.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "macro.h"
#include "text.h"
#include "typehint_verbs.h"

#define ADDRESSES_SEARCHED 2000 /* transcript lines looked through for addresses, newest first */
#define ADDRESS_SHOWN_MAX 200

static void add(struct typehint_candidates *out, const char *text, const char *note)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->text[i], text) == 0) {
            return;
        }
    }
    /* What would be cut would be another command. */
    if (out->count < TYPEHINT_CANDIDATES_MAX && strlen(text) < sizeof(out->text[0])) {
        escape_copy(out->note[out->count], sizeof(out->note[0]), note, strlen(note), 0);
        str_copy(out->text[out->count++], sizeof(out->text[0]), text);
    }
}

static void add_joined(struct typehint_candidates *out, const char *line, size_t keep,
                       const char *text, const char *end, const char *note)
{
    char whole[512];
    int n = snprintf(whole, sizeof(whole), "%.*s%s%s", (int)keep, line, text, end);
    if (n > 0 && (size_t)n < sizeof(whole)) {
        out->keep = keep;
        add(out, whole, note);
    }
}

static void complete_verbs(const struct record *r, unsigned mode, const char *line,
                           struct typehint_candidates *out)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < typehint_verb_count; i++) {
            const struct verb *verb = &typehint_verbs[i];
            bool offered = verb->offer == NULL || typehint_capabilities(r) == NULL ||
                           typehint_offers(r, verb->offer);
            bool first = offered && typehint_in_order(r, mode, verb);
            if (first == (pass == 0) && typehint_starts(verb->name, line)) {
                add(out, verb->name, verb->grammar);
            }
        }
        if (out->count > 0) {
            return; /* what is out of order is offered only when nothing else fits */
        }
    }
}

static void complete_mechanism(const struct record *r, const char *before, const char *typed,
                               struct typehint_candidates *out)
{
    char offered[MECHANISMS_MAX][MECHANISM_MAX + 1];
    size_t count = typehint_mechanisms(r, offered, MECHANISMS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (typehint_starts(offered[i], typed)) {
            add_joined(out, before, strlen(before), offered[i], "", "");
        }
    }
}

/* The values that can be listed: "FULL|HDRS" makes two lines, "OCTETS" one that ends in '='. */
static void add_parameter(const struct caps *caps, bool tls, const char *line, size_t keep,
                          const struct envelope_param *param, struct typehint_candidates *out)
{
    const char *typed = line + keep;
    const char *form = param->form;
    char text[96];
    char note[160];
    (void)snprintf(note, sizeof(note), "%s%s%s", form != NULL ? form : "", form != NULL ? "  " : "",
                   param->reference);
    bool listed = param->id == PARAM_BODY || param->id == PARAM_RET || param->id == PARAM_NOTIFY;
    if (!listed) {
        const char *begin = param->id == PARAM_ORCPT ? "rfc822;" : "";
        (void)snprintf(text, sizeof(text), "%s%s%s", param->name, form != NULL ? "=" : "", begin);
        if (typehint_starts(text, typed)) {
            add_joined(out, line, keep, text, "", note);
        }
        return;
    }
    while (*form != '\0') {
        size_t n = strcspn(form, "|");
        (void)snprintf(text, sizeof(text), "%s=%.*s", param->name, (int)n, form);
        bool good = envelope_judge(param->command, span_of(text), caps, tls, NULL) == ENVELOPE_GOOD;
        if (good && typehint_starts(text, typed)) {
            add_joined(out, line, keep, text, "", param->reference);
        }
        form += n + (form[n] == '|' ? 1 : 0);
    }
}

/* What stands in the line already is not offered again. */
static bool parameter_is_there(const char *line, size_t keep, const struct envelope_param *param)
{
    struct span whole = {line, keep};
    struct span word;
    size_t at = 0;
    while (envelope_next_param(whole, &at, &word)) {
        if (envelope_find(word) == param) {
            return true;
        }
    }
    return false;
}

static void complete_parameters(const struct record *r, const char *line,
                                struct typehint_candidates *out)
{
    struct caps caps;
    size_t keep = (size_t)(strrchr(line, ' ') + 1 - line);
    if (!typehint_caps(r, &caps)) {
        return;
    }
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        const struct envelope_param *param = &envelope_params[i];
        if (param->command == typehint_envelope(line) &&
            envelope_offered(param, &caps, r->session_tls) &&
            !parameter_is_there(line, keep, param)) {
            add_parameter(&caps, r->session_tls, line, keep, param, out);
        }
    }
}

/* The address in angle brackets of a line of the client's; only what could be typed. */
static bool address_in(const struct line *line, char *out, size_t size)
{
    const char *from = memchr(line->text, '<', line->len);
    size_t left = from != NULL ? line->len - (size_t)(from - line->text) : 0;
    const char *to = from != NULL ? memchr(from, '>', left) : NULL;
    if (to == NULL || (size_t)(to - from) > size) {
        return false;
    }
    size_t len = (size_t)(to - from) - 1;
    memcpy(out, from + 1, len);
    out[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)out[i] <= ' ' || (unsigned char)out[i] >= 0x7f) {
            return false;
        }
    }
    return strlen(out) == len && strchr(out, '@') != NULL;
}

/* Those that begin with what is typed behind `keep`. */
static void add_addresses(const struct record *r, const char *line, size_t keep, const char *before,
                          const char *end, struct typehint_candidates *out)
{
    uint32_t last = lines_last(r->lines);
    uint32_t stop = last > ADDRESSES_SEARCHED ? last - ADDRESSES_SEARCHED : 0;
    for (uint32_t n = last; n > stop; n--) {
        struct line l;
        char address[ADDRESS_SHOWN_MAX + 2];
        char text[ADDRESS_SHOWN_MAX + 4];
        if (lines_get(r->lines, n, &l) && l.dir == DIR_CLIENT &&
            address_in(&l, address, ADDRESS_SHOWN_MAX) &&
            (before[0] != '\0' || typehint_starts(address, line + keep))) {
            (void)snprintf(text, sizeof(text), "%s%s", before, address);
            add_joined(out, line, keep, text, end, _("used before"));
        }
    }
}

static void complete_path(const struct record *r, const char *line, struct typehint_candidates *out)
{
    const char *open = strchr(line, '<');
    size_t keep = open != NULL ? (size_t)(open + 1 - line) : strlen(line);
    add_addresses(r, line, keep, open != NULL ? "" : "<", ">", out);
    if (out->count == 0 && open == NULL) {
        add_joined(out, line, strlen(line), "<", "", "");
    }
}

static void complete_name(const struct record *r, const char *line, size_t keep,
                          struct typehint_candidates *out)
{
    const struct facts *path = record_path(r);
    if (path != NULL && path->ehlo_name != NULL && typehint_starts(path->ehlo_name, line + keep)) {
        add_joined(out, line, keep, path->ehlo_name, "", "");
    }
}

static void complete_attributes(const struct record *r, const char *line, size_t keep,
                                struct typehint_candidates *out)
{
    char name[MECHANISM_MAX + 1];
    for (size_t i = 0; typehint_attribute(r, i, name, sizeof(name)); i++) {
        if (typehint_starts(name, line + keep)) {
            add_joined(out, line, keep, name, "=", "");
        }
    }
}

static void complete_macro_names(const char *line, struct typehint_candidates *out)
{
    for (enum macro_id id = MACRO_NONE + 1; id < MACRO_COUNT; id++) {
        const struct macro *m = &macros[id];
        if (typehint_starts(m->name, line + 1)) {
            char text[32];
            (void)snprintf(text, sizeof(text), ":%s%s", m->name, m->needed ? " " : "");
            add(out, text, _(m->title));
        }
    }
}

static void complete_macro(const struct record *r, const char *line,
                           struct typehint_candidates *out)
{
    const char *args = "";
    enum macro_id id = macro_find(line, &args);
    const char *blank = strrchr(line, ' ');
    if (blank == NULL) {
        complete_macro_names(line, out);
        return;
    }
    size_t word = (size_t)(blank + 1 - line);
    switch (macros[id].kind) {
    case MACRO_NAME:
        complete_name(r, line, word, out);
        break;
    case MACRO_MECHANISM:
        complete_mechanism(r, ":auth ", line + word, out);
        break;
    case MACRO_ADDRESSES:
        add_addresses(r, line, word, "", "", out);
        break;
    case MACRO_ATTRIBUTES:
        complete_attributes(r, line, word, out);
        break;
    default:
        break; /* files are the caller's: there is a file system behind them */
    }
}

void typehint_complete(const struct record *r, unsigned mode, const char *line,
                       struct typehint_candidates *out)
{
    out->count = out->keep = 0;
    if (typehint_is_macro(r, mode, line)) {
        complete_macro(r, line, out);
        return;
    }
    if (r->expects_text || r->session == SMTP_CONTINUATION || (mode & TYPEHINT_RAW) != 0) {
        return;
    }
    const struct verb *verb = typehint_verb(line);
    const char *end = strchr(line, '>');
    const char *blank = strrchr(line, ' ');
    if (typehint_starts(line, "AUTH ")) {
        complete_mechanism(r, "AUTH ", line + 5, out);
    } else if (typehint_starts(line, "XCLIENT ")) {
        complete_attributes(r, line, (size_t)(blank + 1 - line), out);
    } else if (verb != NULL && verb->path && end != NULL && blank > end) {
        complete_parameters(r, line, out);
    } else if (verb != NULL && verb->path && strchr(line, ':') != NULL && end == NULL) {
        complete_path(r, line, out);
    } else if (typehint_starts(line, "EHLO ") || typehint_starts(line, "HELO ") ||
               typehint_starts(line, "LHLO ")) {
        complete_name(r, line, 5, out);
    } else {
        complete_verbs(r, mode, line, out);
    }
}
