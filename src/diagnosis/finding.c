#include "finding.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {
#define X(id, name) name,
        VERDICT_LIST(X)
#undef X
    };
    size_t i = (size_t)verdict;
    return i < ARRAY_LEN(names) ? names[i] : "inconclusive";
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
    return a > b ? a : b;
}

const char *who_name(enum who who)
{
    switch (who) {
    case WHO_CLIENT:
        return "client";
    case WHO_SERVER:
        return "server";
    case WHO_DNS:
        return "dns";
    case WHO_NETWORK:
        return "network";
    case WHO_THIRD_PARTY:
        return "third-party";
    case WHO_TOOL:
        return "tool";
    case WHO_NOBODY:
        break;
    }
    return "nobody";
}

const char *who_word(enum who who)
{
    switch (who) {
    case WHO_CLIENT:
        return _("client");
    case WHO_SERVER:
        return _("server");
    case WHO_DNS:
        return "DNS";
    case WHO_NETWORK:
        return _("network");
    case WHO_THIRD_PARTY:
        return _("third party");
    case WHO_TOOL:
        return _("this test");
    case WHO_NOBODY:
        break;
    }
    return _("nobody");
}

const char *who_sentence(enum who who)
{
    switch (who) {
    case WHO_CLIENT:
        return _("The sending side can fix this: the machine or program that connects.");
    case WHO_SERVER:
        return _("Whoever runs the mail server can fix this.");
    case WHO_DNS:
        return _("Whoever manages the DNS records can fix this.");
    case WHO_NETWORK:
        return _("The network or hosting provider, or whoever runs the firewall, can fix this.");
    case WHO_THIRD_PARTY:
        return _("Only a third party can change this.");
    case WHO_TOOL:
        return _("This lies with the way the test was made, not with the mail server.");
    case WHO_NOBODY:
        break;
    }
    return _("Nobody has to do anything.");
}

const char *confidence_name(enum confidence confidence)
{
    switch (confidence) {
    case CONFIDENCE_CERTAIN:
        return "certain";
    case CONFIDENCE_LIKELY:
        return "likely";
    case CONFIDENCE_GUESS:
        break;
    }
    return "guess";
}

const char *confidence_word(enum confidence confidence)
{
    switch (confidence) {
    case CONFIDENCE_CERTAIN:
        return _("certain");
    case CONFIDENCE_LIKELY:
        return _("likely");
    case CONFIDENCE_GUESS:
        break;
    }
    return _("guess");
}

const char *side_name(enum side side)
{
    switch (side) {
    case SIDE_OURS:
        return "ours";
    case SIDE_THEIRS:
        return "theirs";
    case SIDE_NONE:
        break;
    }
    return NULL;
}

const char *reply_class_name(enum reply_class class)
{
    static const char *const names[] = {
#define X(id, name) name,
        REPLY_CLASS_LIST(X)
#undef X
    };
    size_t i = (size_t) class;
    return i < ARRAY_LEN(names) ? names[i] : "";
}

const char *reply_basis_name(enum reply_basis basis)
{
    switch (basis) {
    case BASIS_WORDS:
        return "words";
    case BASIS_ENHANCED:
        return "enhanced";
    case BASIS_CODE:
        return "code";
    case BASIS_NONE:
        break;
    }
    return "";
}

const struct finding_kind *finding_find(const char *id)
{
    for (size_t i = 0; i < finding_kind_count; i++) {
        if (strcmp(finding_kinds[i].id, id) == 0) {
            return &finding_kinds[i];
        }
    }
    return NULL;
}

void finding_init(struct finding *f, const char *id)
{
    const struct finding_kind *kind = finding_find(id);
    assert(kind != NULL);
    bool known = kind != NULL;
    if (!known) {
        kind = finding_find("check.internal");
    }
    memset(f, 0, sizeof(*f));
    f->kind = kind;
    f->verdict = kind->verdict;
    f->who = kind->who;
    f->confidence = kind->confidence;
    f->class = CLASS_NONE;
    f->side = kind->side;
    if (!known) {
        finding_arg(f, "detail", id);
    }
}

void finding_free(struct finding *f)
{
    for (size_t i = 0; i < f->arg_count; i++) {
        free(f->args[i].value);
    }
    memset(f, 0, sizeof(*f));
}

enum status finding_copy(struct finding *dst, const struct finding *src)
{
    *dst = *src;
    dst->arg_count = 0;
    for (size_t i = 0; i < src->arg_count; i++) {
        dst->args[i].value = str_dup(src->args[i].value);
        if (dst->args[i].value == NULL) {
            finding_free(dst);
            return ST_NOMEM;
        }
        dst->arg_count++;
    }
    return ST_OK;
}

/* Where a cut at `max` does not split a UTF-8 sequence. */
static size_t cut_at_character(const char *p, size_t max)
{
    size_t cut = max;
    for (int back = 0; back < 3 && cut > 0 && ((unsigned char)p[cut] & 0xc0) == 0x80; back++) {
        cut--;
    }
    return ((unsigned char)p[cut] & 0xc0) == 0x80 ? max : cut;
}

static char *arg_value(const char *p, size_t len)
{
    static const char nul[] = "\\x00";
    struct buf b;
    buf_init(&b, FINDING_ARG_TEXT_MAX);
    if (len > FINDING_ARG_TEXT_MAX) {
        len = cut_at_character(p, FINDING_ARG_TEXT_MAX);
    }
    enum status st = buf_add_str(&b, "");
    size_t done = 0;
    while (st == ST_OK && done < len) {
        const char *end = memchr(p + done, '\0', len - done);
        size_t run = end != NULL ? (size_t)(end - (p + done)) : len - done;
        st = buf_add(&b, p + done, run);
        done += run;
        if (st == ST_OK && end != NULL) {
            st = buf_add_str(&b, nul);
            done++;
        }
    }
    char *value = st == ST_OK || st == ST_LIMIT ? str_dup(buf_str(&b)) : NULL;
    buf_free(&b);
    return value;
}

void finding_arg_span(struct finding *f, const char *name, const char *p, size_t len)
{
    struct finding_arg *slot = NULL;
    for (size_t i = 0; i < f->arg_count; i++) {
        if (strcmp(f->args[i].name, name) == 0) {
            slot = &f->args[i];
        }
    }
    assert(strlen(name) < sizeof(f->args[0].name));
    if (slot == NULL && f->arg_count == FINDING_ARGS_MAX) {
        return;
    }
    char *value = arg_value(p, len);
    if (value == NULL) {
        return;
    }
    if (slot == NULL) {
        slot = &f->args[f->arg_count++];
        str_copy(slot->name, sizeof(slot->name), name);
    } else {
        free(slot->value);
    }
    slot->value = value;
    slot->word = false;
}

void finding_arg(struct finding *f, const char *name, const char *value)
{
    if (value != NULL) {
        finding_arg_span(f, name, value, strlen(value));
    }
}

void finding_arg_word(struct finding *f, const char *name, const char *word)
{
    finding_arg(f, name, word);
    for (size_t i = 0; i < f->arg_count; i++) {
        if (strcmp(f->args[i].name, name) == 0) {
            f->args[i].word = true;
        }
    }
}

void finding_argf(struct finding *f, const char *name, const char *fmt, ...)
{
    char text[FINDING_ARG_TEXT_MAX + 5]; /* so that the cut sees where a character ends */
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n >= 0) {
        finding_arg(f, name, text);
    }
}

const char *finding_arg_get(const struct finding *f, const char *name)
{
    for (size_t i = 0; i < f->arg_count; i++) {
        if (strcmp(f->args[i].name, name) == 0) {
            return f->args[i].value;
        }
    }
    return NULL;
}

void finding_evidence(struct finding *f, uint32_t line)
{
    if (line != 0 && f->evidence_count < FINDING_EVIDENCE_MAX) {
        f->evidence[f->evidence_count++] = line;
    }
}
