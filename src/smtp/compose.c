#include "compose.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base64.h"
#include "clock.h"
#include "escape.h"
#include "text.h"

#define LABEL_MAX 63      /* RFC 1035 2.3.4 */
#define LINE_MAX_TEXT 998 /* RFC 5322 2.1.1, without CRLF */
#define LINE_WANTED 78    /* the same */
#define SUBJECT_MAX 998
#define RUN_ID_MAX 128
#define WORD_RAW_MAX 45 /* bytes of one RFC 2047 word: 60 in base64, 72 with its frame, limit 75   \
                         */
#define QP_LINE_MAX 76  /* RFC 2045 6.7 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_atext(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Bytes of a character beyond ASCII that RFC 6531 3.3 allows, or 0. C1 controls are none. */
static size_t utf8_letter(const char *p, size_t len)
{
    uint32_t code = 0;
    size_t n = len > 0 && (unsigned char)p[0] >= 0x80 ? utf8_decode(p, len, &code) : 0;
    return n > 0 && code >= 0xa0 ? n : 0;
}

static enum status bad_at(struct error *error, const char *address, const char *p)
{
    return error_set(error, ST_INVALID, 0,
                     _("The address has a character at position %zu that may not stand there."),
                     (size_t)(p - address) + 1);
}

/* Returns where the string ends or breaks the grammar, NULL when it is never closed. */
static const char *scan_quoted(const char *p, const char *end, bool utf8)
{
    p++;
    while (p < end && *p != '"') {
        size_t wide = utf8 ? utf8_letter(p, (size_t)(end - p)) : 0;
        if (wide > 0) {
            p += wide;
        } else if (*p == '\\' && p + 1 < end && p[1] >= ' ' && p[1] <= '~') {
            p += 2;
        } else if (*p >= ' ' && *p <= '~' && *p != '\\') {
            p++;
        } else {
            return p;
        }
    }
    return p < end ? p + 1 : NULL;
}

/* Returns where the atoms end, or where they break the grammar. */
static const char *scan_dotted(const char *p, const char *end, bool utf8)
{
    bool atom = false;
    while (p < end) {
        size_t wide = utf8 ? utf8_letter(p, (size_t)(end - p)) : 0;
        if (wide > 0) {
            p += wide;
            atom = true;
        } else if (is_atext(*p)) {
            p++;
            atom = true;
        } else if (*p == '.' && atom && p + 1 < end) {
            p++;
            atom = false;
        } else {
            return p;
        }
    }
    return p;
}

static enum status check_local(const char *address, const char *at, bool utf8, struct error *error)
{
    if (at == address) {
        return error_set(error, ST_INVALID, 0, _("The address has nothing before its @."));
    }
    if (at - address > ADDRESS_LOCAL_MAX) {
        return error_set(
            error, ST_INVALID, 0,
            _("The part of the address before the @ is %zu bytes long; %d are allowed."),
            (size_t)(at - address), ADDRESS_LOCAL_MAX);
    }
    bool quoted = address[0] == '"';
    const char *stop = quoted ? scan_quoted(address, at, utf8) : scan_dotted(address, at, utf8);
    if (stop == NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("The quotation mark at position 1 of the address is never closed."));
    }
    return stop == at ? ST_OK : bad_at(error, address, stop);
}

/* RFC 5321 4.1.3. General literals have no use that anybody registered. */
static bool is_literal(const char *p, size_t len)
{
    char text[INET6_ADDRSTRLEN + 8];
    unsigned char bytes[16];
    if (len < 2 || p[len - 1] != ']' || len - 2 >= sizeof(text)) {
        return false;
    }
    memcpy(text, p + 1, len - 2);
    text[len - 2] = '\0';
    if (strlen(text) != len - 2) {
        return false;
    }
    struct span tag = {text, len > 7 ? 5 : 0};
    if (span_equal_nocase(tag, "IPv6:")) {
        return inet_pton(AF_INET6, text + 5, bytes) == 1;
    }
    return inet_pton(AF_INET, text, bytes) == 1;
}

static enum status check_domain(const char *address, const char *p, bool utf8, struct error *error)
{
    size_t len = strlen(p);
    if (len == 0) {
        return error_set(error, ST_INVALID, 0, _("The address has nothing behind its @."));
    }
    if (len > ADDRESS_DOMAIN_MAX) {
        return error_set(error, ST_INVALID, 0,
                         _("The domain of the address is %zu bytes long; %d are allowed."), len,
                         ADDRESS_DOMAIN_MAX);
    }
    if (p[0] == '[') {
        return is_literal(p, len)
                   ? ST_OK
                   : error_set(error, ST_INVALID, 0,
                               _("The address literal at position %zu is not an IP address."),
                               (size_t)(p - address) + 1);
    }
    const char *end = p + len;
    const char *label = p;
    bool wide_label = false;
    while (p < end) {
        size_t wide = utf8 ? utf8_letter(p, (size_t)(end - p)) : 0;
        bool inner = p > label && p + 1 < end && p[1] != '.';
        if (wide > 0) {
            p += wide;
            wide_label = true;
        } else if (is_alnum(*p) || (*p == '-' && inner)) {
            p++;
        } else if (*p == '.' && inner) {
            label = ++p;
            wide_label = false;
            continue;
        } else {
            return bad_at(error, address, p);
        }
        /* A label beyond ASCII is counted after its conversion, which happens elsewhere. */
        if (!wide_label && p - label > LABEL_MAX) {
            return error_set(error, ST_INVALID, 0,
                             _("The part of the domain at position %zu is longer than %d bytes."),
                             (size_t)(label - address) + 1, LABEL_MAX);
        }
    }
    return ST_OK;
}

enum status address_check(const char *address, bool empty_ok, bool utf8, struct error *error)
{
    size_t len = strlen(address);
    if (len == 0) {
        return empty_ok ? ST_OK : error_set(error, ST_INVALID, 0, _("The address is empty."));
    }
    if (len > ADDRESS_MAX) {
        return error_set(error, ST_INVALID, 0, _("The address is %zu bytes long; %d are allowed."),
                         len, ADDRESS_MAX);
    }
    const char *at = strrchr(address, '@');
    if (at == NULL) {
        return error_set(error, ST_INVALID, 0, _("The address has no @."));
    }
    enum status st = check_local(address, at, utf8, error);
    return st == ST_OK ? check_domain(address, at + 1, utf8, error) : st;
}

const char *address_domain(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL ? at + 1 : NULL;
}

static bool is_ascii(const char *p)
{
    for (; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Position of the first byte that is a control or no UTF-8, or the length when there is none. */
static size_t first_bad(const char *p, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint32_t code;
        size_t n = utf8_decode(p + i, len - i, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            return i;
        }
        i += n;
    }
    return len;
}

static enum status add_encoded_subject(struct buf *out, const char *p, size_t len)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK;) {
        size_t n = 0;
        while (i + n < len) {
            uint32_t code;
            size_t step = utf8_decode(p + i + n, len - i - n, &code);
            step = step > 0 ? step : 1;
            if (n + step > WORD_RAW_MAX) {
                break;
            }
            n += step;
        }
        st = buf_add_str(out, i == 0 ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        if (st == ST_OK) {
            st = base64_encode(out, p + i, n);
        }
        if (st == ST_OK) {
            st = buf_add_str(out, "?=");
        }
        i += n;
    }
    return st;
}

/*
 * Folded text of a header may not have a line of blanks alone, and what a reader could take for an
 * encoded word must not stand as it is: both go the way of RFC 2047.
 */
static bool subject_is_plain(const char *p, size_t len)
{
    if (!is_ascii(p) || strstr(p, "=?") != NULL || len + strlen("Subject: ") > LINE_WANTED) {
        return false;
    }
    return len == 0 || (p[0] != ' ' && p[len - 1] != ' ');
}

static enum status add_subject(struct buf *out, const char *subject, struct error *error)
{
    const char *p = subject != NULL ? subject : "";
    size_t len = strlen(p);
    size_t bad = first_bad(p, len);
    if (bad < len) {
        return error_set(error, ST_INVALID, 0,
                         _("The subject has a character at position %zu that may not stand there."),
                         bad + 1);
    }
    if (len > SUBJECT_MAX) {
        return error_set(error, ST_INVALID, 0, _("The subject is longer than %d bytes."),
                         SUBJECT_MAX);
    }
    enum status st = buf_add_str(out, "Subject: ");
    if (st == ST_OK) {
        st = subject_is_plain(p, len) ? buf_add(out, p, len) : add_encoded_subject(out, p, len);
    }
    return st == ST_OK ? buf_add_str(out, "\r\n") : st;
}

/* What may stand right of the @ in a Message-ID (RFC 5322 3.6.4). */
static bool id_right_is_good(const char *p)
{
    size_t len = p != NULL ? strlen(p) : 0;
    if (len == 0 || len > ADDRESS_DOMAIN_MAX) {
        return false;
    }
    return p[0] == '[' ? is_literal(p, len) : scan_dotted(p, p + len, false) == p + len;
}

static enum status add_headers(const struct compose_message *m, struct buf *out,
                               const struct buf *id, struct error *error)
{
    char date[40];
    clock_rfc5322(m->wall_us, date, sizeof(date));
    const char *host = id_right_is_good(m->helo) ? m->helo : "smtpscope.invalid";
    enum status st = buf_addf(out, "Date: %s\r\n", date);
    if (st == ST_OK && m->from[0] != '\0') {
        st = buf_addf(out, "From: <%s>\r\n", m->from);
    } else if (st == ST_OK) {
        /* The null sender is one of the envelope; a header must name somebody (RFC 5322 3.6.2). */
        st = buf_addf(out, "From: <postmaster@%s>\r\n", host);
    }
    if (st == ST_OK) {
        st = buf_addf(out, "To: <%s>\r\n", m->to);
    }
    if (st == ST_OK) {
        st = add_subject(out, m->subject, error);
    }
    if (st == ST_OK) {
        st = buf_addf(out,
                      "Message-ID: %s\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n"
                      "X-Mailer: smtpscope " SMTPSCOPE_VERSION "\r\n",
                      buf_str(id));
    }
    if (st == ST_OK && m->run_id != NULL && m->run_id[0] != '\0') {
        size_t len = strlen(m->run_id);
        if (len > RUN_ID_MAX || first_bad(m->run_id, len) < len || !is_ascii(m->run_id)) {
            return error_set(error, ST_INVALID, 0, _("The run id is not plain text."));
        }
        st = buf_addf(out, "X-Smtpscope-Run: %s\r\n", m->run_id);
    }
    return st;
}

enum body_kind { BODY_ASCII, BODY_EIGHT_BIT, BODY_ENCODE };

static enum body_kind body_kind_of(const char *p, bool *utf8)
{
    enum body_kind kind = BODY_ASCII;
    size_t line = 0;
    size_t len = strlen(p);
    *utf8 = true;
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        size_t n = utf8_decode(p + i, len - i, &code);
        if (n == 0) {
            *utf8 = false;
            return BODY_ENCODE;
        }
        bool line_end = code == '\r' || code == '\n';
        line = line_end ? 0 : line + n;
        if (line > LINE_MAX_TEXT || (code < 0x20 && code != '\t' && !line_end) || code == 0x7f) {
            kind = BODY_ENCODE;
        } else if (code >= 0x80 && kind == BODY_ASCII) {
            kind = BODY_EIGHT_BIT;
        }
        i += n;
    }
    return kind;
}

/* Calls CR, LF and CRLF one line end each; returns its length at p, or 0. */
static size_t line_end_len(const char *p, size_t len)
{
    if (len == 0 || (p[0] != '\r' && p[0] != '\n')) {
        return 0;
    }
    return p[0] == '\r' && len > 1 && p[1] == '\n' ? 2 : 1;
}

static enum status add_plain_body(struct buf *out, const char *p)
{
    enum status st = ST_OK;
    size_t len = strlen(p);
    while (len > 0 && st == ST_OK) {
        size_t n = strcspn(p, "\r\n");
        size_t end = line_end_len(p + n, len - n);
        st = buf_add(out, p, n);
        if (st == ST_OK) {
            st = buf_add_str(out, "\r\n");
        }
        p += n + end;
        len -= n + end;
    }
    return st;
}

static enum status add_qp_body(struct buf *out, const char *p)
{
    enum status st = ST_OK;
    size_t len = strlen(p);
    size_t column = 0;
    for (size_t i = 0; i < len && st == ST_OK;) {
        size_t end = line_end_len(p + i, len - i);
        if (end > 0) {
            st = buf_add_str(out, "\r\n");
            column = 0;
            i += end;
            continue;
        }
        bool last = i + 1 == len || p[i + 1] == '\r' || p[i + 1] == '\n';
        bool blank = p[i] == ' ' || p[i] == '\t';
        bool as_is = (p[i] > ' ' && p[i] <= '~' && p[i] != '=') || (blank && !last);
        size_t width = as_is ? 1 : 3;
        /* One column stays free for the soft line break. */
        if (column + width > QP_LINE_MAX - 1) {
            st = buf_add_str(out, "=\r\n");
            column = 0;
        }
        if (st == ST_OK) {
            st = as_is ? buf_add_char(out, p[i]) : buf_addf(out, "=%02X", (unsigned char)p[i]);
        }
        column += width;
        i++;
    }
    return st == ST_OK && column > 0 ? buf_add_str(out, "\r\n") : st;
}

static enum status add_body(const char *body, struct buf *out, bool *eight_bit)
{
    bool utf8;
    enum body_kind kind = body_kind_of(body, &utf8);
    const char *encoding = kind == BODY_ASCII       ? "7bit"
                           : kind == BODY_EIGHT_BIT ? "8bit"
                                                    : "quoted-printable";
    enum status st = buf_addf(out,
                              "Content-Type: text/plain; charset=%s\r\n"
                              "Content-Transfer-Encoding: %s\r\n\r\n",
                              utf8 ? "utf-8" : "unknown-8bit", encoding);
    *eight_bit = *eight_bit || kind == BODY_EIGHT_BIT;
    if (st == ST_OK) {
        st = kind == BODY_ENCODE ? add_qp_body(out, body) : add_plain_body(out, body);
    }
    return st;
}

static enum status add_parts(const struct compose_message *m, const char *body, struct buf *out,
                             bool *eight_bit)
{
    char boundary[MIME_BOUNDARY_MAX + 1];
    mime_boundary(m->random, boundary);
    enum status st = buf_addf(out,
                              "Content-Type: multipart/mixed;\r\n\tboundary=\"%s\"\r\n\r\n"
                              "--%s\r\n",
                              boundary, boundary);
    if (st == ST_OK) {
        st = add_body(body, out, eight_bit);
    }
    /* The line end before a delimiter belongs to it (RFC 2046 5.1.1). */
    for (size_t i = 0; i < m->part_count && st == ST_OK; i++) {
        st = buf_add_str(out, i == 0 ? "\r\n" : "");
        if (st == ST_OK) {
            st = mime_part_add(out, boundary, &m->parts[i]);
        }
    }
    return st == ST_OK ? buf_addf(out, "--%s--\r\n", boundary) : st;
}

const char *compose_standard_body(void)
{
    return _("This message was sent by smtpscope to find out whether mail reaches you.\nNothing "
             "has to be done about it; it may be deleted.\n");
}

enum status compose_build(const struct compose_message *m, struct buf *out, struct buf *message_id,
                          bool *eight_bit, struct error *error)
{
    *eight_bit = false;
    enum status st = address_check(m->from, true, true, error);
    if (st == ST_OK) {
        st = address_check(m->to, false, true, error);
    }
    if (st != ST_OK) {
        return st;
    }
    *eight_bit = !is_ascii(m->from) || !is_ascii(m->to);
    buf_clear(message_id);
    st = buf_addf(message_id, "<%" PRIx64 ".%016" PRIx64 "@%s>", (uint64_t)m->wall_us, m->random,
                  id_right_is_good(m->helo) ? m->helo : "smtpscope.invalid");
    if (st == ST_OK) {
        st = add_headers(m, out, message_id, error);
    }
    if (st == ST_OK) {
        const char *body = m->body != NULL ? m->body : compose_standard_body();
        st = m->part_count > 0 ? add_parts(m, body, out, eight_bit)
                               : add_body(body, out, eight_bit);
    }
    if (st == ST_LIMIT) {
        return error_set(error, st, 0, _("The message is too long."));
    }
    if (st == ST_NOMEM) {
        return error_set(error, st, 0, _("There is not enough memory for the message."));
    }
    return st;
}

static enum status add_wire_lines(struct buf *out, const char *p, size_t len, bool stuff)
{
    enum status st = ST_OK;
    while (len > 0 && st == ST_OK) {
        size_t n = 0;
        while (n < len && p[n] != '\r' && p[n] != '\n' && p[n] != '\0') {
            n++;
        }
        if (n < len && p[n] == '\0') {
            return ST_INVALID;
        }
        size_t end = line_end_len(p + n, len - n);
        if (stuff && n > 0 && p[0] == '.') {
            st = buf_add_char(out, '.');
        }
        if (st == ST_OK) {
            st = buf_add(out, p, n);
        }
        if (st == ST_OK) {
            st = buf_add_str(out, "\r\n");
        }
        p += n + end;
        len -= n + end;
    }
    return st;
}

enum status compose_stuff(struct buf *out, const char *p, size_t len)
{
    return add_wire_lines(out, p, len, true);
}

enum status compose_lines(struct buf *out, const char *p, size_t len)
{
    return add_wire_lines(out, p, len, false);
}
