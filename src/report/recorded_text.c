#include <stdio.h>
#include <string.h>

#include "recorded.h"

#define DAY_US (INT64_C(86400) * US_PER_S)
#define SHOWN_USER_MAX 320
#define NAMELESS "host0.org0.example"

void recorded_keep(struct recorded *x, enum status st)
{
    x->st = x->st == ST_OK ? st : x->st;
}

void recorded_put(struct recorded *x, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (x->st == ST_OK) {
        x->st = buf_addv(x->out, fmt, ap);
    }
    va_end(ap);
}

/*
 * Words end at blanks and quotation marks, and names may hold both behind a backslash. A backslash
 * that hides nothing would join the next line.
 */
static enum status add_word(struct buf *out, const char *p, size_t len)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < len; i++) {
        bool hidden = p[i] == '\\';
        i += hidden ? 1 : 0;
        if (i == len) {
            break;
        }
        unsigned char c = (unsigned char)p[i];
        if (c == '"' || c <= ' ' || c >= 0x7f) {
            st = buf_addf(out, "\\%03u", c);
        } else {
            st = buf_addf(out, "%s%c", hidden ? "\\" : "", c);
        }
    }
    return st;
}

enum status recorded_add_name(struct recorded *x, const char *name, struct buf *out)
{
    struct buf example, word;
    uint8_t wire[DNS_WIRE_NAME_MAX + 1];
    size_t len;
    buf_init(&example, 4 * DNS_NAME_MAX);
    buf_init(&word, 4 * DNS_NAME_MAX);
    enum status st = share_safe_name(x->share, name, &example);
    if (st == ST_OK) {
        st = add_word(&word, buf_str(&example), example.len);
    }
    if (st == ST_OK) {
        bool good = dns_name_encode(buf_str(&word), wire, &len) == ST_OK;
        st = buf_add_str(out, good ? buf_str(&word) : NAMELESS);
    } else if (st == ST_LIMIT) {
        st = buf_add_str(out, NAMELESS);
    }
    buf_free(&example);
    buf_free(&word);
    return st;
}

void recorded_put_name(struct recorded *x, const char *name)
{
    if (x->st == ST_OK) {
        x->st = recorded_add_name(x, name, x->out);
    }
}

void recorded_put_address(struct recorded *x, const struct net_address *a)
{
    struct net_address example;
    char text[NET_ADDRESS_TEXT];
    if (x->st == ST_OK) {
        x->st = share_safe_address(x->share, a, &example);
        net_address_format(&example, text, sizeof(text));
        recorded_put(x, "%s", text);
    }
}

static enum status escape_byte(struct buf *out, unsigned char c)
{
    switch (c) {
    case '\r':
        return buf_add_str(out, "\\r");
    case '\n':
        return buf_add_str(out, "\\n");
    case '\t':
        return buf_add_str(out, "\\t");
    case '\\':
        return buf_add_str(out, "\\\\");
    case '"':
        return buf_add_str(out, "\\\"");
    case '{':
        return buf_add_str(out, "{{");
    default:
        break;
    }
    return c < ' ' || c >= 0x7f ? buf_addf(out, "\\x%02x", c) : buf_add_char(out, (char)c);
}

enum status recorded_escape(struct buf *out, const char *p, size_t len)
{
    enum status st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < len; i++) {
        st = escape_byte(out, (unsigned char)p[i]);
    }
    return st;
}

enum status recorded_quote(struct buf *out, const char *p, size_t len)
{
    enum status st = buf_add_char(out, '"');
    if (st == ST_OK) {
        st = recorded_escape(out, p, len);
    }
    return st == ST_OK ? buf_add_char(out, '"') : st;
}

void recorded_time(int64_t us, char *out, size_t size)
{
    static const struct {
        int64_t us;
        const char *name;
    } units[] = {{DAY_US, "d"}, {3600 * US_PER_S, "h"}, {US_PER_S, "s"}};
    for (size_t i = 0; us != 0 && i < ARRAY_LEN(units); i++) {
        if (us % units[i].us == 0) {
            snprintf(out, size, "%lld%s", (long long)(us / units[i].us), units[i].name);
            return;
        }
    }
    snprintf(out, size, "%lldms", (long long)(us / US_PER_MS));
}

enum status recorded_user(struct recorded *x, struct buf *out)
{
    const char *name = x->user != NULL ? x->user : "";
    enum status st = share_safe_mailbox(x->share, name, strlen(name), out);
    bool plain = st == ST_OK && out->len > 0 && out->len < SHOWN_USER_MAX;
    for (size_t i = 0; plain && i < out->len; i++) {
        char c = out->p[i];
        plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                (c != '\0' && strchr("@.-_+%", c) != NULL);
    }
    if (!plain) {
        buf_clear(out);
        st = st == ST_OK || st == ST_LIMIT ? buf_add_str(out, "user-1@example.org") : st;
    }
    return st;
}

const struct finding *recorded_finding(const struct recorded *x, const char *id)
{
    for (size_t i = 0; i < x->r->finding_count; i++) {
        if (strcmp(x->r->findings[i].f.kind->id, id) == 0) {
            return &x->r->findings[i].f;
        }
    }
    return NULL;
}

bool recorded_found(const struct recorded *x, const char *id)
{
    return recorded_finding(x, id) != NULL;
}

const struct dns_facts *recorded_answer(const struct recorded *x, const char *name, uint16_t type)
{
    for (size_t i = x->r->answer_count; i-- > 0;) {
        const struct dns_facts *f = &x->r->answers[i].f;
        if (f->type == type && !f->checking_disabled && dns_name_equal(f->name, name)) {
            return f;
        }
    }
    return NULL;
}

bool recorded_mailbox(const struct recorded *x, const struct talk_turn *turn, char *out,
                      size_t size)
{
    struct line line;
    bool path = turn->event == TALK_COMMAND &&
                (strcmp(turn->verb, "MAIL") == 0 || strcmp(turn->verb, "RCPT") == 0);
    if (!path || !lines_get(x->r->lines, turn->command, &line)) {
        return false;
    }
    const char *open = memchr(line.text, '<', line.len);
    const char *close = open != NULL ? memrchr(line.text, '>', line.len) : NULL;
    if (close == NULL || close < open || (size_t)(close - open) > size) {
        return false;
    }
    memcpy(out, open + 1, (size_t)(close - open - 1));
    out[close - open - 1] = '\0';
    return true;
}
