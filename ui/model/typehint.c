#include "typehint.h"

#include <stdio.h>
#include <string.h>

#include "sasl.h"
#include "text.h"
#include "typehint_verbs.h"

#define ADDRESSES_SEARCHED 2000 /* transcript lines looked through for addresses, newest first */
#define ADDRESS_SHOWN_MAX 200
#define BLANKS " \t"

static void add(struct typehint_candidates *out, const char *text)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->text[i], text) == 0) {
            return;
        }
    }
    /* What would be cut would be another command. */
    if (out->count < TYPEHINT_CANDIDATES_MAX && strlen(text) < sizeof(out->text[0])) {
        str_copy(out->text[out->count++], sizeof(out->text[0]), text);
    }
}

static void add_joined(struct typehint_candidates *out, const char *line, size_t keep,
                       const char *text, const char *end)
{
    char whole[512];
    int n = snprintf(whole, sizeof(whole), "%.*s%s%s", (int)keep, line, text, end);
    if (n > 0 && (size_t)n < sizeof(whole)) {
        add(out, whole);
    }
}

static void complete_verbs(const struct record *r, const char *line,
                           struct typehint_candidates *out)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < typehint_verb_count; i++) {
            bool offered = typehint_verbs[i].offer == NULL || typehint_capabilities(r) == NULL ||
                           typehint_offers(r, typehint_verbs[i].offer);
            bool first = offered && typehint_in_order(r, &typehint_verbs[i]);
            if (first == (pass == 0) && typehint_starts(typehint_verbs[i].name, line)) {
                add(out, typehint_verbs[i].name);
            }
        }
        if (out->count > 0) {
            return; /* what is out of order is offered only when nothing else fits */
        }
    }
}

static void complete_auth(const struct record *r, const char *line, struct typehint_candidates *out)
{
    char offered[MECHANISMS_MAX][MECHANISM_MAX + 1];
    size_t count = typehint_mechanisms(r, offered, MECHANISMS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (typehint_starts(offered[i], line + 5)) {
            add_joined(out, "AUTH ", 5, offered[i], "");
        }
    }
}

static void complete_parameters(const struct record *r, const char *line,
                                struct typehint_candidates *out)
{
    const char *last = strrchr(line, ' ') + 1;
    for (size_t i = 0; i < typehint_parameter_count; i++) {
        if (typehint_starts(line, typehint_parameters[i].verb) &&
            typehint_offers(r, typehint_parameters[i].keyword) &&
            typehint_starts(typehint_parameters[i].text, last)) {
            add_joined(out, line, (size_t)(last - line), typehint_parameters[i].text, "");
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

static void complete_addresses(const struct record *r, const char *line,
                               struct typehint_candidates *out)
{
    const char *open = strchr(line, '<');
    const char *typed = open != NULL ? open + 1 : "";
    size_t keep = open != NULL ? (size_t)(open + 1 - line) : strlen(line);
    uint32_t last = lines_last(r->lines);
    uint32_t stop = last > ADDRESSES_SEARCHED ? last - ADDRESSES_SEARCHED : 0;
    for (uint32_t n = last; n > stop; n--) {
        struct line l;
        char address[ADDRESS_SHOWN_MAX + 2] = "<";
        if (lines_get(r->lines, n, &l) && l.dir == DIR_CLIENT &&
            address_in(&l, address + 1, ADDRESS_SHOWN_MAX) && typehint_starts(address + 1, typed)) {
            add_joined(out, line, keep, open != NULL ? address + 1 : address, ">");
        }
    }
}

static void complete_name(const struct record *r, const char *line, struct typehint_candidates *out)
{
    const struct facts *path = record_path(r);
    if (path != NULL && path->ehlo_name != NULL && typehint_starts(path->ehlo_name, line + 5)) {
        add_joined(out, line, 5, path->ehlo_name, "");
    }
}

void typehint_complete(const struct record *r, const char *line, struct typehint_candidates *out)
{
    out->count = 0;
    if (r->expects_text || r->session == SMTP_CONTINUATION) {
        return;
    }
    const struct verb *verb = typehint_verb(line);
    const char *end = strchr(line, '>');
    if (typehint_starts(line, "AUTH ")) {
        complete_auth(r, line, out);
    } else if (verb != NULL && verb->path && end != NULL && strrchr(line, ' ') > end) {
        complete_parameters(r, line, out);
    } else if (verb != NULL && verb->path && strchr(line, ':') != NULL && end == NULL) {
        complete_addresses(r, line, out);
        if (out->count == 0 && strchr(line, '<') == NULL) {
            add_joined(out, line, strlen(line), "<", "");
        }
    } else if (typehint_starts(line, "EHLO ") || typehint_starts(line, "HELO ")) {
        complete_name(r, line, out);
    } else {
        complete_verbs(r, line, out);
    }
}

const char *typehint_prompt(const struct record *r)
{
    if (r->session == SMTP_CLOSED) {
        return _("(off)>");
    }
    if (r->expects_text) {
        return "DATA>";
    }
    if (r->session == SMTP_CONTINUATION) {
        return "334>";
    }
    return r->session_tls ? "SMTP~>" : "SMTP>";
}

/* Who forgets the mechanism types the secret in its place, so a word behind AUTH is shown only as
   long as it can become the name of one. */
static bool may_be_mechanism(const struct record *r, const char *word, size_t len)
{
    static const char *const others[] = {"NTLM", "GSSAPI", "ANONYMOUS", "DIGEST-MD5"};
    char offered[MECHANISMS_MAX][MECHANISM_MAX + 1];
    char typed[MECHANISM_MAX + 1] = "";
    if (len > MECHANISM_MAX) {
        return false;
    }
    memcpy(typed, word, len);
    for (int m = MECH_NONE + 1; m < MECH_COUNT; m++) {
        if (typehint_starts(sasl_mech_name((enum sasl_mech)m), typed)) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (typehint_starts(others[i], typed)) {
            return true;
        }
    }
    size_t count = typehint_mechanisms(r, offered, MECHANISMS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (typehint_starts(offered[i], typed)) {
            return true;
        }
    }
    return false;
}

bool typehint_secret(const struct record *r, const char *line)
{
    if (r->session == SMTP_CONTINUATION) {
        return strcmp(line, "*") != 0;
    }
    /* Typed ahead of the 334 that AUTH will bring: it answers that. */
    if (r->waiting == WAIT_AUTH) {
        return true;
    }
    /* A blank before the verb is wrong, and still no reason to show a password. */
    line += strspn(line, BLANKS);
    size_t verb = strcspn(line, BLANKS);
    struct span word = {line, verb};
    if (r->expects_text || !span_equal_nocase(word, "AUTH")) {
        return false;
    }
    const char *mech = line + verb + strspn(line + verb, BLANKS);
    size_t len = strcspn(mech, BLANKS);
    if (len > 0 && !may_be_mechanism(r, mech, len)) {
        return true;
    }
    return mech[len + strspn(mech + len, BLANKS)] != '\0';
}

bool typehint_dangerous(const struct record *r, const char *line)
{
    if (r->expects_text || r->session == SMTP_CONTINUATION) {
        return false;
    }
    const struct verb *verb = typehint_verb(line);
    bool auth_in_clear = typehint_starts(line, "AUTH ") && !r->session_tls;
    return auth_in_clear || (verb != NULL && verb->dangerous);
}
