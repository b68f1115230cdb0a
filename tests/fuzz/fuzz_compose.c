/*
 * Any octets as an address, a subject and a body, and as message text on the wire: unstuffing gives
 * back what was stuffed, there is one end, and nothing starts a header of its own.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX_TEXT 998
#define HEADERS_MAX 12

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void normalise(const char *p, size_t len, struct buf *out)
{
    bool open = false;
    enum status st = ST_OK;
    for (size_t i = 0; i < len && st == ST_OK; i++) {
        if (p[i] == '\r' || p[i] == '\n') {
            i += p[i] == '\r' && i + 1 < len && p[i + 1] == '\n' ? 1 : 0;
            st = buf_add_str(out, "\r\n");
            open = false;
        } else {
            st = buf_add_char(out, p[i]);
            open = true;
        }
    }
    if (open && st == ST_OK) {
        st = buf_add_str(out, "\r\n");
    }
    require(st == ST_OK);
}

/* As a server reads it: line by line, up to the lone dot, which must be the end. */
static void unstuff(const char *p, size_t len, struct buf *out)
{
    bool ended = false;
    while (len > 0) {
        const char *lf = memchr(p, '\n', len);
        require(!ended && lf != NULL && lf > p && lf[-1] == '\r');
        size_t n = (size_t)(lf - p) + 1;
        require(memchr(p, '\r', n - 2) == NULL && memchr(p, '\0', n) == NULL);
        ended = n == 3 && p[0] == '.';
        size_t skip = p[0] == '.' ? 1 : 0;
        require(ended || buf_add(out, p + skip, n - skip) == ST_OK);
        p += n;
        len -= n;
    }
    require(ended);
}

static void check_stuffing(const char *p, size_t len)
{
    struct buf wire, back, want;
    buf_init(&wire, 4 * len + 16);
    buf_init(&back, 4 * len + 16);
    buf_init(&want, 4 * len + 16);
    bool has_nul = len > 0 && memchr(p, '\0', len) != NULL;
    enum status st = compose_stuff(&wire, p, len);
    require(st == (has_nul ? ST_INVALID : ST_OK));
    if (st == ST_OK) {
        require(buf_add_str(&wire, ".\r\n") == ST_OK);
        normalise(p, len, &want);
        unstuff(wire.p, wire.len, &back);
        require(back.len == want.len && memcmp(buf_str(&back), buf_str(&want), want.len) == 0);
    }
    buf_free(&wire);
    buf_free(&back);
    buf_free(&want);
}

static void check_address(const char *address)
{
    struct error error;
    for (int utf8 = 0; utf8 < 2; utf8++) {
        if (address_check(address, true, utf8 != 0, &error) != ST_OK) {
            require(error.code == ST_INVALID && error.text[0] != '\0');
            continue;
        }
        require(strlen(address) <= ADDRESS_MAX);
        bool quoted = address[0] == '"';
        for (const char *p = address; *p != '\0'; p++) {
            unsigned char c = (unsigned char)*p;
            require(c >= 0x20 && c != 0x7f && (c < 0x80 || utf8 != 0));
            require(quoted || (c != '<' && c != '>' && c != ' '));
        }
        const char *domain = address_domain(address);
        require(address[0] == '\0' || (domain != NULL && strpbrk(domain, "<> \"@") == NULL));
    }
}

static void check_message(const char *subject, const char *body)
{
    const struct compose_message m = {.from = "a@b.example",
                                      .to = "c@d.example",
                                      .helo = subject,
                                      .subject = subject,
                                      .run_id = "r",
                                      .body = body};
    struct buf text, id;
    bool eight_bit;
    struct error error;
    buf_init(&text, 1 << 20);
    buf_init(&id, 1024);
    enum status st = compose_build(&m, &text, &id, &eight_bit, &error);
    require(st == ST_OK || (st == ST_INVALID && error.code == ST_INVALID));
    size_t line = 0, headers = 0;
    bool in_body = false;
    for (size_t i = 0; st == ST_OK && i < text.len; i++) {
        char c = text.p[i];
        require(c != '\0' && (c == '\r') == (i + 1 < text.len && text.p[i + 1] == '\n'));
        require(eight_bit || (unsigned char)c < 0x80);
        if (c != '\n') {
            line += c != '\r' ? 1 : 0;
            require(line <= LINE_MAX_TEXT);
            continue;
        }
        in_body = in_body || line == 0;
        char first = i + 1 < text.len ? text.p[i + 1] : '\0';
        headers += !in_body && first != ' ' && first != '\r' ? 1 : 0;
        line = 0;
    }
    require(st != ST_OK || (in_body && headers < HEADERS_MAX));
    buf_free(&text);
    buf_free(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Up to the first NUL it is the address and the subject, behind it the body. */
    char *text = malloc(size + 2);
    require(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = text[size + 1] = '\0';
    check_stuffing((const char *)data, size);
    check_address(text);
    check_message(text, text + strlen(text) + (strlen(text) < size ? 1 : 0));
    check_message("plain", text);
    free(text);
    return 0;
}
