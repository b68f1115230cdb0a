#include "transaction.h"

#include <string.h>

#include "envelope.h"

#define LINES_BACK 5000

static void copy_address(struct span line, char *out)
{
    struct span address;
    if (envelope_address(line, &address) && address.len < TRANSACTION_ADDRESS_MAX) {
        memcpy(out, address.p, address.len);
        out[address.len] = '\0';
    }
}

static void read_params(struct span line, struct transaction *out)
{
    struct span word;
    for (size_t at = 0; envelope_next_param(line, &at, &word);) {
        out->utf8 = out->utf8 || span_equal_nocase(word, "SMTPUTF8");
        out->eight_bit = out->eight_bit || span_equal_nocase(word, "BODY=8BITMIME") ||
                         span_equal_nocase(word, "BODY=BINARYMIME");
    }
}

/* The last client line that is MAIL; 0 when there is none. */
static uint32_t mail_line(const struct record *r)
{
    uint32_t last = lines_last(r->lines);
    uint32_t stop = last > LINES_BACK ? last - LINES_BACK : 0;
    struct line line;
    for (uint32_t n = last; n > stop; n--) {
        if (lines_get(r->lines, n, &line) && line.dir == DIR_CLIENT &&
            (line.flags & LINE_BODY) == 0 && smtp_verb_of(line.text, line.len) == VERB_MAIL) {
            return n;
        }
    }
    return 0;
}

void transaction_read(const struct record *r, struct transaction *out)
{
    struct line line;
    char address[TRANSACTION_ADDRESS_MAX] = "";
    bool asked = false;
    memset(out, 0, sizeof(*out));
    out->open = r->session == SMTP_MAIL || r->session == SMTP_RCPT || r->session == SMTP_TEXT;
    uint32_t mail = out->open ? mail_line(r) : 0;
    if (mail == 0 || !lines_get(r->lines, mail, &line)) {
        return;
    }
    copy_address((struct span){line.text, line.len}, out->from);
    read_params((struct span){line.text, line.len}, out);
    for (uint32_t n = mail + 1; n <= lines_last(r->lines); n++) {
        if (!lines_get(r->lines, n, &line)) {
            continue;
        }
        if (line.dir == DIR_CLIENT) {
            asked = smtp_verb_of(line.text, line.len) == VERB_RCPT;
            address[0] = '\0';
            if (asked) {
                copy_address((struct span){line.text, line.len}, address);
            }
        } else if (line.dir == DIR_SERVER && asked && line.len >= 3 &&
                   (line.len == 3 || line.text[3] != '-')) {
            bool taken = line.text[0] == '2';
            if (taken && out->recipients == 0) {
                str_copy(out->to, sizeof(out->to), address);
            }
            out->recipients += taken ? 1 : 0;
            asked = false;
        }
    }
}
