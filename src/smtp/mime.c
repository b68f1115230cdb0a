#include "mime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base64.h"

#define LINE_RAW_OCTETS 57 /* 76 characters of base64, RFC 2045 6.8 */
#define PIECE_COLUMNS 54   /* of an encoded name, so that its line stays under 78 (RFC 5322 2.1.1) \
                            */

void mime_boundary(uint64_t random, char out[MIME_BOUNDARY_MAX + 1])
{
    snprintf(out, MIME_BOUNDARY_MAX + 1, "=_smtpscope_%016" PRIx64, random);
}

static bool is_plain(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\') {
            return false;
        }
    }
    return strlen(value) <= PIECE_COLUMNS;
}

/* RFC 2231 7: attribute-char. */
static bool is_attribute_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$&+-.^_`{|}~", c) != NULL);
}

/* Characters are not split between pieces: who decodes them one by one would see rubbish. */
static size_t character_len(const char *p)
{
    size_t n = 1;
    while (((unsigned char)p[n] & 0xc0) == 0x80 && n < 4) {
        n++;
    }
    return n;
}

static enum status add_encoded(struct buf *out, const char *p, size_t len)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK; i++) {
        st = is_attribute_char(p[i]) ? buf_add_char(out, p[i])
                                     : buf_addf(out, "%%%02X", (unsigned char)p[i]);
    }
    return st;
}

static size_t encoded_columns(const char *p, size_t len)
{
    size_t columns = 0;
    for (size_t i = 0; i < len; i++) {
        columns += is_attribute_char(p[i]) ? 1 : 3;
    }
    return columns;
}

/* How much of the value fits into one piece. */
static size_t piece_len(const char *p)
{
    size_t n = 0;
    size_t columns = 0;
    while (p[n] != '\0') {
        size_t more = character_len(p + n);
        size_t width = encoded_columns(p + n, more);
        if (n > 0 && columns + width > PIECE_COLUMNS) {
            break;
        }
        columns += width;
        n += more;
    }
    return n;
}

enum status mime_param_add(struct buf *out, const char *name, const char *value)
{
    if (is_plain(value)) {
        return buf_addf(out, ";\r\n\t%s=\"%s\"", name, value);
    }
    size_t first = piece_len(value);
    bool whole = value[first] == '\0';
    enum status st = ST_OK;
    for (unsigned i = 0; *value != '\0' && st == ST_OK; i++) {
        size_t n = piece_len(value);
        st = whole ? buf_addf(out, ";\r\n\t%s*=", name) : buf_addf(out, ";\r\n\t%s*%u*=", name, i);
        if (st == ST_OK && i == 0) {
            st = buf_add_str(out, "UTF-8''");
        }
        if (st == ST_OK) {
            st = add_encoded(out, value, n);
        }
        value += n;
    }
    return st;
}

/* RFC 2047 in a parameter is against its section 5, and what most mail programs read nonetheless.
 */
static enum status add_name_2047(struct buf *out, const char *value)
{
    if (is_plain(value)) {
        return buf_addf(out, ";\r\n\tname=\"%s\"", value);
    }
    enum status st = buf_add_str(out, ";\r\n\tname=\"");
    const char *between = "";
    while (*value != '\0' && st == ST_OK) {
        size_t n = 0;
        /* 42 octets make 56 characters of base64, so that the line stays under 78. */
        while (value[n] != '\0' && n + character_len(value + n) <= 42) {
            n += character_len(value + n);
        }
        st = buf_addf(out, "%s=?UTF-8?B?", between);
        if (st == ST_OK) {
            st = base64_encode(out, value, n);
        }
        if (st == ST_OK) {
            st = buf_add_str(out, "?=");
        }
        between = "\r\n\t";
        value += n;
    }
    return st == ST_OK ? buf_add_char(out, '"') : st;
}

static enum status add_lines(struct buf *out, const char *p, size_t len)
{
    enum status st = ST_OK;
    for (size_t at = 0; at < len && st == ST_OK; at += LINE_RAW_OCTETS) {
        size_t n = len - at < LINE_RAW_OCTETS ? len - at : LINE_RAW_OCTETS;
        st = base64_encode(out, p + at, n);
        if (st == ST_OK) {
            st = buf_add_str(out, "\r\n");
        }
    }
    return st;
}

enum status mime_part_add(struct buf *out, const char *boundary, const struct mime_part *part)
{
    const char *type = part->type != NULL ? part->type : "application/octet-stream";
    enum status st = buf_addf(out, "--%s\r\nContent-Type: %s", boundary, type);
    if (st == ST_OK) {
        st = add_name_2047(out, part->name);
    }
    if (st == ST_OK) {
        st = buf_add_str(out, "\r\nContent-Transfer-Encoding: base64\r\n"
                              "Content-Disposition: attachment");
    }
    if (st == ST_OK) {
        st = mime_param_add(out, "filename", part->name);
    }
    if (st == ST_OK) {
        st = buf_add_str(out, "\r\n\r\n");
    }
    return st == ST_OK ? add_lines(out, part->p, part->len) : st;
}
