#include <stdio.h>
#include <string.h>

#include "envelope.h"
#include "recorded.h"

#define WORD_MAX 512 /* of one attribute or parameter; no command is longer (RFC 5321 4.5.3.1.4)   \
                      */

/* What stands behind the = of a word, and so how it becomes an example. */
enum value_kind {
    VALUE_PLAIN, /* names nobody */
    VALUE_TEXT,
    VALUE_ADDRESS,
    VALUE_NAME,
    VALUE_MAILBOX,
    VALUE_XTEXT,         /* RFC 3461 4 */
    VALUE_XTEXT_MAILBOX, /* RFC 4954 5 */
    VALUE_TYPED_MAILBOX  /* "rfc822;" and xtext, RFC 3461 4.2 */
};

struct known_word {
    const char *name;
    enum value_kind kind;
};

struct known_words {
    const struct known_word *list;
    size_t count;
};

static const struct known_word attribute_list[] = {
    {"ADDR", VALUE_ADDRESS},     {"NAME", VALUE_NAME},      {"PORT", VALUE_PLAIN},
    {"PROTO", VALUE_PLAIN},      {"HELO", VALUE_NAME},      {"LOGIN", VALUE_MAILBOX},
    {"DESTADDR", VALUE_ADDRESS}, {"DESTPORT", VALUE_PLAIN}, {"REVERSE_NAME", VALUE_NAME},
};

static const struct known_word parameter_list[] = {
    {"SIZE", VALUE_PLAIN},          {"BODY", VALUE_PLAIN},        {"SMTPUTF8", VALUE_PLAIN},
    {"RET", VALUE_PLAIN},           {"ENVID", VALUE_XTEXT},       {"AUTH", VALUE_XTEXT_MAILBOX},
    {"REQUIRETLS", VALUE_PLAIN},    {"BY", VALUE_PLAIN},          {"HOLDFOR", VALUE_PLAIN},
    {"HOLDUNTIL", VALUE_PLAIN},     {"MT-PRIORITY", VALUE_PLAIN}, {"NOTIFY", VALUE_PLAIN},
    {"ORCPT", VALUE_TYPED_MAILBOX},
};

static const struct known_words attributes = {attribute_list, ARRAY_LEN(attribute_list)};
static const struct known_words parameters = {parameter_list, ARRAY_LEN(parameter_list)};

struct wish_word {
    struct span head; /* "ADDR=", "ORCPT=rfc822;": stays as it is */
    struct span value;
    enum value_kind kind;
    bool xtext;
};

static enum value_kind kind_of(const struct known_words *known, struct span name)
{
    for (size_t i = 0; i < known->count; i++) {
        if (span_equal_nocase(name, known->list[i].name)) {
            return known->list[i].kind;
        }
    }
    return VALUE_TEXT;
}

static void classify(struct wish_word *w, enum value_kind kind)
{
    const char *semicolon = w->value.len > 0 ? memchr(w->value.p, ';', w->value.len) : NULL;
    w->xtext = kind >= VALUE_XTEXT;
    w->kind = kind == VALUE_XTEXT ? VALUE_TEXT : w->xtext ? VALUE_MAILBOX : kind;
    if (kind == VALUE_TYPED_MAILBOX && semicolon != NULL) {
        size_t n = (size_t)(semicolon - w->value.p) + 1;
        w->head.len += n;
        w->value = (struct span){w->value.p + n, w->value.len - n};
    }
    /* AUTH=<> is nobody, and what is in brackets an address or [UNAVAILABLE]. */
    if (w->value.len > 0 && (w->value.p[0] == '<' || w->value.p[0] == '[')) {
        w->kind = VALUE_TEXT;
    }
}

/* The next word; moves *p behind it. False at the end. */
static bool next_word(const struct known_words *known, const char **p, struct wish_word *w)
{
    size_t len;
    do {
        *p += strspn(*p, " ");
        len = strcspn(*p, " ");
        *p += len;
    } while (len > WORD_MAX);
    const char *word = *p - len;
    const char *equals = len > 0 ? memchr(word, '=', len) : NULL;
    size_t name = equals != NULL ? (size_t)(equals - word) : len;
    size_t head = equals != NULL ? name + 1 : len;
    *w = (struct wish_word){.head = {word, head}, .value = {word + head, len - head}};
    classify(w, kind_of(known, (struct span){word, name}));
    return len > 0;
}

/* The value as it is meant; what is no xtext, as it stands. */
static enum status read_value(const struct wish_word *w, struct buf *out)
{
    enum status st = w->xtext ? xtext_decode(w->value.p, w->value.len, out) : ST_INVALID;
    if (st == ST_INVALID) {
        buf_clear(out);
        st = buf_add(out, w->value.p, w->value.len);
    }
    return st;
}

static enum status map_address(struct recorded *x, const char *value, struct buf *out)
{
    static const char prefix[] = "IPV6:";
    char text[NET_ADDRESS_TEXT];
    struct net_address a, example;
    struct span head = {value, sizeof(prefix) - 1};
    bool marked = strlen(value) > head.len && span_equal_nocase(head, prefix);
    if (!net_address_parse(value + (marked ? head.len : 0), &a)) {
        return share_safe_text(x->share, value, strlen(value), SHARE_KEYWORDS, out);
    }
    enum status st = share_safe_address(x->share, &a, &example);
    net_address_format(&example, text, sizeof(text));
    return st == ST_OK ? buf_add_str(out, text) : st;
}

static enum status map_value(struct recorded *x, enum value_kind kind, const struct buf *value,
                             struct buf *out)
{
    switch (kind) {
    case VALUE_PLAIN:
        return buf_add(out, buf_str(value), value->len);
    case VALUE_ADDRESS:
        return map_address(x, buf_str(value), out);
    case VALUE_NAME:
        return share_safe_name(x->share, buf_str(value), out);
    case VALUE_MAILBOX:
        return share_safe_mailbox(x->share, buf_str(value), value->len, out);
    default:
        return share_safe_text(x->share, buf_str(value), value->len, SHARE_KEYWORDS, out);
    }
}

static enum status map_word(struct recorded *x, const struct wish_word *w, struct buf *out)
{
    struct buf value, example;
    buf_init(&value, WORD_MAX);
    buf_init(&example, SHARE_TEXT_MAX);
    enum status st = buf_add(out, w->head.p, w->head.len);
    if (st == ST_OK) {
        st = read_value(w, &value);
    }
    if (st == ST_OK) {
        st = map_value(x, w->kind, &value, &example);
    }
    if (st == ST_OK) {
        st = w->xtext && w->value.p[0] != '<' ? xtext_encode(buf_str(&example), example.len, out)
                                              : buf_add(out, buf_str(&example), example.len);
    }
    buf_free(&value);
    buf_free(&example);
    return st;
}

static void add_words(struct recorded *x, struct buf *out, const char *option, const char *words,
                      const struct known_words *known)
{
    struct wish_word w;
    struct buf word;
    buf_init(&word, SHARE_TEXT_MAX);
    for (const char *p = words; p != NULL && next_word(known, &p, &w);) {
        buf_clear(&word);
        recorded_keep(x, map_word(x, &w, &word));
        recorded_add_option(x, out, option, buf_str(&word));
    }
    buf_free(&word);
}

static void add_proxy(struct recorded *x, struct buf *out)
{
    char text[PROXY_WISH_TEXT];
    struct proxy_wish wish = x->plan->proxy;
    if (wish.version == 0) {
        return;
    }
    if (wish.source.family != 0) {
        recorded_keep(x, share_safe_address(x->share, &x->plan->proxy.source, &wish.source));
        wish.source.port = x->plan->proxy.source.port;
    }
    proxy_wish_format(&wish, text, sizeof(text));
    recorded_add_option(x, out, "proxy", text);
}

void recorded_add_wishes(struct recorded *x, struct buf *out)
{
    const struct plan *p = x->plan;
    if (p->lmtp) {
        recorded_add_option(x, out, "lmtp", NULL);
    }
    add_proxy(x, out);
    add_words(x, out, "xclient", p->xclient, &attributes);
    add_words(x, out, "mail-param", p->mail_params, &parameters);
    add_words(x, out, "rcpt-param", p->rcpt_params, &parameters);
    if (p->sample != SAMPLE_NONE) {
        recorded_add_option(x, out, "sample", sample_name(p->sample));
    }
    if (p->chunk > 0) {
        recorded_keep(x, buf_addf(out, "%s--bdat=%zu", out->len > 0 ? " " : "", p->chunk));
    }
}

static enum status tell_words(struct recorded *x, const char *words,
                              const struct known_words *known)
{
    struct wish_word w;
    struct buf value;
    enum status st = ST_OK;
    buf_init(&value, WORD_MAX);
    for (const char *p = words; p != NULL && st == ST_OK && next_word(known, &p, &w);) {
        buf_clear(&value);
        st = read_value(&w, &value);
        if (st == ST_OK && w.kind == VALUE_NAME) {
            st = share_safe_host(x->share, buf_str(&value), SHARE_OTHER);
        } else if (st == ST_OK && w.kind == VALUE_MAILBOX) {
            st = share_safe_user(x->share, buf_str(&value));
        }
    }
    buf_free(&value);
    return st;
}

enum status recorded_tell_wishes(struct recorded *x)
{
    struct net_address ignored;
    enum status st = ST_OK;
    /* The servers get their addresses before the client that is only spoken for. */
    for (size_t i = 0; st == ST_OK && x->plan->xclient != NULL && i < x->host_count; i++) {
        st = share_safe_address(x->share, &x->hosts[i].address, &ignored);
    }
    if (st == ST_OK) {
        st = tell_words(x, x->plan->xclient, &attributes);
    }
    if (st == ST_OK) {
        st = tell_words(x, x->plan->mail_params, &parameters);
    }
    return st == ST_OK ? tell_words(x, x->plan->rcpt_params, &parameters) : st;
}
