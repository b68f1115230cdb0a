#include "envelope.h"

#include <string.h>

#include "escape.h"
#include "text.h"

#define DIGITS_MAX 9 /* RFC 2852 4, RFC 4865 3: of a number of seconds */
#define VALUE_SHOWN 80

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(struct span value, const char *words)
{
    while (*words != '\0') {
        size_t n = strcspn(words, "|");
        char word[32];
        if (n < sizeof(word)) {
            memcpy(word, words, n);
            word[n] = '\0';
            if (span_equal_nocase(value, word)) {
                return true;
            }
        }
        words += n + (words[n] == '|' ? 1 : 0);
    }
    return false;
}

/* Digits alone, at most `most` of them; the value into *out. */
static bool is_number(struct span value, size_t most, uint64_t *out)
{
    *out = 0;
    if (value.len == 0 || value.len > most) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!is_digit(value.p[i])) {
            return false;
        }
        *out = 10 * *out + (uint64_t)(value.p[i] - '0');
    }
    return true;
}

static bool is_xtext(struct span value)
{
    struct buf decoded;
    buf_init(&decoded, value.len + 1);
    bool good = value.len > 0 && xtext_decode(value.p, value.len, &decoded) == ST_OK;
    buf_free(&decoded);
    return good;
}

/* RFC 1870 3: up to 20 digits. */
static bool check_size(struct span v)
{
    if (v.len == 0 || v.len > 20) {
        return false;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (!is_digit(v.p[i])) {
            return false;
        }
    }
    return true;
}

static bool check_body(struct span v)
{
    return is_one_of(v, "7BIT|8BITMIME|BINARYMIME");
}

static bool check_ret(struct span v)
{
    return is_one_of(v, "FULL|HDRS");
}

/* RFC 3461 4.4: what is behind the xtext is printable. */
static bool check_envid(struct span v)
{
    struct buf decoded;
    buf_init(&decoded, v.len + 1);
    bool good = v.len > 0 && xtext_decode(v.p, v.len, &decoded) == ST_OK &&
                decoded.len <= ENVELOPE_ENVID_MAX;
    for (size_t i = 0; good && i < decoded.len; i++) {
        good = decoded.p[i] >= ' ' && decoded.p[i] <= '~';
    }
    buf_free(&decoded);
    return good;
}

/* RFC 3461 4.1: NEVER stands alone. */
static bool check_notify(struct span v)
{
    if (is_one_of(v, "NEVER")) {
        return true;
    }
    size_t at = 0;
    while (at <= v.len) {
        const char *comma = at < v.len ? memchr(v.p + at, ',', v.len - at) : NULL;
        size_t n = comma != NULL ? (size_t)(comma - v.p) - at : v.len - at;
        if (!is_one_of((struct span){v.p + at, n}, "SUCCESS|FAILURE|DELAY")) {
            return false;
        }
        at += n + 1;
    }
    return true;
}

/* RFC 3461 4.2: "rfc822;user@example.com"; RFC 6533 3 adds "utf-8". */
static bool check_orcpt(struct span v)
{
    const char *semicolon = v.len > 0 ? memchr(v.p, ';', v.len) : NULL;
    size_t n = semicolon != NULL ? (size_t)(semicolon - v.p) : 0;
    if (n == 0 || v.len > ENVELOPE_ORCPT_MAX) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = v.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !is_digit(c) && c != '-') {
            return false;
        }
    }
    struct span rest = {semicolon + 1, v.len - n - 1};
    struct span type = {v.p, n};
    if (span_equal_nocase(type, "utf-8")) {
        return rest.len > 0; /* RFC 6533 3 has an encoding of its own, besides UTF-8 itself */
    }
    return is_xtext(rest);
}

/* RFC 2852 4: seconds, ";", N (tell) or R (return), and T for tracing. */
static bool check_by(struct span v)
{
    uint64_t seconds = 0;
    size_t sign = v.len > 0 && (v.p[0] == '-' || v.p[0] == '+') ? 1 : 0;
    const char *semicolon = v.len > 0 ? memchr(v.p, ';', v.len) : NULL;
    size_t n = semicolon != NULL ? (size_t)(semicolon - v.p) : 0;
    if (n <= sign || !is_number((struct span){v.p + sign, n - sign}, DIGITS_MAX, &seconds)) {
        return false;
    }
    struct span mode = {semicolon + 1, v.len - n - 1};
    bool past = seconds == 0 || v.p[0] == '-';
    /* A message whose time is over cannot be returned for that (RFC 2852 4). */
    return is_one_of(mode, past ? "N|NT" : "N|NT|R|RT");
}

static bool check_holdfor(struct span v)
{
    uint64_t seconds;
    return is_number(v, DIGITS_MAX, &seconds) && seconds > 0;
}

/* RFC 3339, as RFC 4865 4 wants it: "2026-11-23T12:00:00Z", in UTC or with an offset. */
static bool check_holduntil(struct span v)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    size_t n = sizeof(form) - 1;
    if (v.len <= n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool digit = form[i] == 'd';
        if (digit ? !is_digit(v.p[i]) : v.p[i] != form[i]) {
            return false;
        }
    }
    struct span zone = {v.p + n, v.len - n};
    if (zone.p[0] == '.') {
        size_t i = 1;
        while (i < zone.len && is_digit(zone.p[i])) {
            i++;
        }
        if (i == 1) {
            return false;
        }
        zone.p += i;
        zone.len -= i;
    }
    if (zone.len == 1) {
        return zone.p[0] == 'Z' || zone.p[0] == 'z';
    }
    return zone.len == 6 && (zone.p[0] == '+' || zone.p[0] == '-') && is_digit(zone.p[1]) &&
           is_digit(zone.p[2]) && zone.p[3] == ':' && is_digit(zone.p[4]) && is_digit(zone.p[5]);
}

/* RFC 6710 4: -9 to 9. */
static bool check_priority(struct span v)
{
    size_t sign = v.len > 0 && (v.p[0] == '-' || v.p[0] == '+') ? 1 : 0;
    return v.len == sign + 1 && is_digit(v.p[sign]);
}

/* RFC 4954 5: a mailbox in xtext, or <>. */
static bool check_auth(struct span v)
{
    return span_equal_nocase(v, "<>") || is_xtext(v);
}

const struct envelope_param envelope_params[PARAM_COUNT] = {
    {PARAM_SIZE, ENVELOPE_MAIL, CAP_SIZE, "SIZE", "OCTETS", "RFC 1870, section 3"},
    {PARAM_BODY, ENVELOPE_MAIL, CAP_8BITMIME, "BODY", "7BIT|8BITMIME|BINARYMIME",
     "RFC 6152, section 2"},
    {PARAM_SMTPUTF8, ENVELOPE_MAIL, CAP_SMTPUTF8, "SMTPUTF8", NULL, "RFC 6531, section 3.4"},
    {PARAM_RET, ENVELOPE_MAIL, CAP_DSN, "RET", "FULL|HDRS", "RFC 3461, section 4.3"},
    {PARAM_ENVID, ENVELOPE_MAIL, CAP_DSN, "ENVID", "XTEXT", "RFC 3461, section 4.4"},
    {PARAM_AUTH, ENVELOPE_MAIL, CAP_AUTH, "AUTH", "XTEXT|<>", "RFC 4954, section 5"},
    {PARAM_REQUIRETLS, ENVELOPE_MAIL, CAP_REQUIRETLS, "REQUIRETLS", NULL, "RFC 8689, section 2"},
    {PARAM_BY, ENVELOPE_MAIL, CAP_DELIVERBY, "BY", "SECONDS;N|R[T]", "RFC 2852, section 4"},
    {PARAM_HOLDFOR, ENVELOPE_MAIL, CAP_FUTURERELEASE, "HOLDFOR", "SECONDS", "RFC 4865, section 4"},
    {PARAM_HOLDUNTIL, ENVELOPE_MAIL, CAP_FUTURERELEASE, "HOLDUNTIL", "2026-11-23T12:00:00Z",
     "RFC 4865, section 4"},
    {PARAM_MT_PRIORITY, ENVELOPE_MAIL, CAP_MT_PRIORITY, "MT-PRIORITY", "-9..9",
     "RFC 6710, section 4"},
    {PARAM_NOTIFY, ENVELOPE_RCPT, CAP_DSN, "NOTIFY", "NEVER|SUCCESS,FAILURE,DELAY",
     "RFC 3461, section 4.1"},
    {PARAM_ORCPT, ENVELOPE_RCPT, CAP_DSN, "ORCPT", "rfc822;XTEXT", "RFC 3461, section 4.2"},
};

static bool (*const value_checks[PARAM_COUNT])(struct span v) = {
    [PARAM_SIZE] = check_size,
    [PARAM_BODY] = check_body,
    [PARAM_RET] = check_ret,
    [PARAM_ENVID] = check_envid,
    [PARAM_AUTH] = check_auth,
    [PARAM_BY] = check_by,
    [PARAM_HOLDFOR] = check_holdfor,
    [PARAM_HOLDUNTIL] = check_holduntil,
    [PARAM_MT_PRIORITY] = check_priority,
    [PARAM_NOTIFY] = check_notify,
    [PARAM_ORCPT] = check_orcpt,
};

/* "NAME" of "NAME=VALUE"; *has: there is an equals sign. */
static struct span name_of(struct span param, struct span *value, bool *has)
{
    const char *equals = param.len > 0 ? memchr(param.p, '=', param.len) : NULL;
    *has = equals != NULL;
    size_t n = equals != NULL ? (size_t)(equals - param.p) : param.len;
    *value = *has ? (struct span){equals + 1, param.len - n - 1} : (struct span){param.p + n, 0};
    return (struct span){param.p, n};
}

const struct envelope_param *envelope_find(struct span param)
{
    struct span value;
    bool has;
    struct span name = name_of(param, &value, &has);
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        if (span_equal_nocase(name, envelope_params[i].name)) {
            return &envelope_params[i];
        }
    }
    return NULL;
}

bool envelope_offered(const struct envelope_param *param, const struct caps *caps, bool tls)
{
    /* RFC 8689 4.2: only where the channel is encrypted. */
    return caps_has(caps, param->cap) && (param->id != PARAM_REQUIRETLS || tls);
}

/* The numbers that stand behind an EHLO keyword. */
static bool offer_number(const struct caps *caps, enum cap_id id, uint64_t *out)
{
    const struct cap *cap = caps_find(caps, id);
    if (cap == NULL) {
        return false;
    }
    const char *p = cap->text + cap->keyword_len;
    p += strspn(p, " ");
    size_t n = strcspn(p, " ");
    return is_number((struct span){p, n}, 19, out);
}

/* What the grammar allows, and this server does not. */
static enum envelope_verdict judge_offer(const struct envelope_param *param, struct span value,
                                         const struct caps *caps, bool tls, struct error *why)
{
    uint64_t limit = 0;
    uint64_t wanted = 0;
    if (param->id == PARAM_BODY && span_equal_nocase(value, "BINARYMIME") &&
        !(caps_has(caps, CAP_BINARYMIME) && caps_has(caps, CAP_CHUNKING))) {
        (void)error_set(why, ST_INVALID, 0,
                        _("BINARYMIME needs BINARYMIME and CHUNKING, which the server does not "
                          "offer (RFC 3030, section 3)."));
        return ENVELOPE_NOT_OFFERED;
    }
    if (!envelope_offered(param, caps, tls)) {
        if (param->id == PARAM_REQUIRETLS && caps_has(caps, param->cap)) {
            (void)error_set(why, ST_INVALID, 0,
                            _("REQUIRETLS is allowed under TLS alone (RFC 8689, section 4.2)."));
        } else {
            (void)error_set(why, ST_INVALID, 0, _("The server does not offer %s (%s)."),
                            param->name, param->reference);
        }
        return ENVELOPE_NOT_OFFERED;
    }
    bool counts = param->id == PARAM_SIZE || param->id == PARAM_HOLDFOR;
    if (counts && is_number(value, 19, &wanted) && offer_number(caps, param->cap, &limit) &&
        limit > 0 && wanted > limit) {
        (void)error_set(why, ST_INVALID, 0, _("%s: the server allows %llu at most."), param->name,
                        (unsigned long long)limit);
        return ENVELOPE_BAD_VALUE;
    }
    return ENVELOPE_GOOD;
}

enum envelope_verdict envelope_judge(enum envelope_command command, struct span param,
                                     const struct caps *caps, bool tls, struct error *why)
{
    struct span value;
    bool has_value;
    struct span name = name_of(param, &value, &has_value);
    const struct envelope_param *known = envelope_find(param);
    if (why != NULL) {
        why->text[0] = '\0';
    }
    if (known == NULL) {
        char shown[VALUE_SHOWN];
        escape_copy(shown, sizeof(shown), name.p, name.len, 0);
        (void)error_set(why, ST_INVALID, 0, _("\"%s\" is no parameter that smtpscope knows."),
                        shown);
        return ENVELOPE_UNKNOWN;
    }
    if (known->command != command) {
        (void)error_set(why, ST_INVALID, 0, _("%s belongs to %s."), known->name,
                        known->command == ENVELOPE_MAIL ? "MAIL" : "RCPT");
        return ENVELOPE_MISPLACED;
    }
    bool good = known->form == NULL ? !has_value : has_value && value_checks[known->id](value);
    if (!good && known->form == NULL) {
        (void)error_set(why, ST_INVALID, 0, _("%s takes no value (%s)."), known->name,
                        known->reference);
        return ENVELOPE_BAD_VALUE;
    }
    if (!good) {
        (void)error_set(why, ST_INVALID, 0, _("The value of %s has the form %s (%s)."), known->name,
                        known->form, known->reference);
        return ENVELOPE_BAD_VALUE;
    }
    return caps != NULL ? judge_offer(known, value, caps, tls, why) : ENVELOPE_GOOD;
}

static bool starts_a_line(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

enum status envelope_line(enum envelope_command command, const char *address, const char *params,
                          struct buf *out)
{
    if (starts_a_line(address) || (params != NULL && starts_a_line(params))) {
        return ST_INVALID;
    }
    enum status st =
        buf_addf(out, "%s:<%s>", command == ENVELOPE_MAIL ? "MAIL FROM" : "RCPT TO", address);
    if (st == ST_OK && params != NULL && params[strspn(params, " ")] != '\0') {
        st = buf_addf(out, " %s", params + strspn(params, " "));
    }
    return st;
}

/* Where the address begins: behind "MAIL FROM:", with whatever blanks. */
static size_t address_at(struct span line)
{
    const char *colon = line.len > 0 ? memchr(line.p, ':', line.len) : NULL;
    size_t at = colon != NULL ? (size_t)(colon - line.p) + 1 : line.len;
    while (at < line.len && line.p[at] == ' ') {
        at++;
    }
    return at;
}

/* The end of the address, with its bracket. A quoted local part may hold one (RFC 5321 4.1.2). */
static size_t address_end(struct span line, size_t at)
{
    bool quoted = false;
    bool bracket = at < line.len && line.p[at] == '<';
    for (size_t i = at; i < line.len; i++) {
        if (line.p[i] == '\\' && quoted) {
            i++;
        } else if (line.p[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && (bracket ? line.p[i] == '>' : line.p[i] == ' ')) {
            return bracket ? i + 1 : i;
        }
    }
    return line.len;
}

bool envelope_address(struct span line, struct span *address)
{
    size_t at = address_at(line);
    size_t end = address_end(line, at);
    if (at >= line.len) {
        return false;
    }
    bool open = line.p[at] == '<';
    bool closed = open && end > at + 1 && line.p[end - 1] == '>';
    *address =
        (struct span){line.p + at + (open ? 1 : 0), end - at - (open ? 1 : 0) - (closed ? 1 : 0)};
    return true;
}

bool envelope_next_param(struct span line, size_t *at, struct span *param)
{
    if (*at == 0) {
        *at = address_end(line, address_at(line));
    }
    while (*at < line.len && line.p[*at] == ' ') {
        (*at)++;
    }
    size_t begin = *at;
    while (*at < line.len && line.p[*at] != ' ') {
        (*at)++;
    }
    *param = (struct span){line.p + begin, *at - begin};
    return *at > begin;
}

enum status xtext_encode(const char *p, size_t len, struct buf *out)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK; i++) {
        bool plain = p[i] > ' ' && p[i] <= '~' && p[i] != '+' && p[i] != '=';
        st = plain ? buf_add_char(out, p[i]) : buf_addf(out, "+%02X", (unsigned char)p[i]);
    }
    return st;
}

static int upper_hex(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum status xtext_decode(const char *p, size_t len, struct buf *out)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK; i++) {
        if (p[i] == '+') {
            int high = i + 2 < len ? upper_hex(p[i + 1]) : -1;
            int low = high >= 0 ? upper_hex(p[i + 2]) : -1;
            if (low < 0) {
                return ST_INVALID;
            }
            st = buf_add_char(out, (char)(high * 16 + low));
            i += 2;
        } else if (p[i] > ' ' && p[i] <= '~' && p[i] != '=') {
            st = buf_add_char(out, p[i]);
        } else {
            return ST_INVALID;
        }
    }
    return st;
}
