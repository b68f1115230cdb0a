/*
 * Any octets as a script, as the notation of exact bytes, as an envelope, as a proxy's header. What
 * is read has to be within what was given, and what is written has to read back as the same.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "message_scan.h"
#include "proxy_header.h"
#include "raw_text.h"
#include "script.h"
#include "xclient.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void read_script(const char *p, size_t len)
{
    struct script *s = NULL;
    struct script *copy = NULL;
    struct error error = {.text = ""};
    enum status st = script_read("fuzz", p, len, &s, &error);
    require((st == ST_OK) == (s != NULL));
    require(st == ST_OK || error.text[0] != '\0');
    if (s == NULL) {
        return;
    }
    require(s->count > 0 && script_copy(s, &copy) == ST_OK && copy->count == s->count);
    require(script_needs(s) == script_needs(copy));
    for (size_t i = 0; i < s->count; i++) {
        const struct script_step *step = &s->steps[i];
        uint64_t octets = 0;
        bool last;
        require(step->text[step->len] == '\0' && step->len <= SCRIPT_LINE_MAX);
        require(step->kind == SCRIPT_RAW || memchr(step->text, '\n', step->len) == NULL);
        require(step->data == NULL || (smtp_bdat_size(step->text, step->len, &octets, &last) &&
                                       octets == step->data_len));
    }
    script_free(copy);
    script_free(s);
}

static void read_notation(const char *p, size_t len)
{
    struct buf text, bytes;
    struct error error;
    struct raw_line line;
    size_t at = 0;
    size_t seen = 0;
    buf_init(&text, 8 * len + 16);
    buf_init(&bytes, len + 16);
    require(raw_text_write(p, len, &text) == ST_OK);
    require(raw_text_read(buf_str(&text), text.len, &bytes, &error) == ST_OK);
    require(bytes.len == len && memcmp(buf_str(&bytes), p, len) == 0);
    buf_clear(&bytes);
    enum status st = raw_text_read(p, len, &bytes, &error);
    require(st == ST_OK || st == ST_INVALID);
    while (raw_next_line(p, len, &at, &line)) {
        require(line.whole.p == p + seen && line.text.len <= line.whole.len);
        seen += line.whole.len;
    }
    require(seen == len);
    buf_free(&text);
    buf_free(&bytes);
}

static void read_envelope(const char *p, size_t len)
{
    struct span line = {p, len};
    struct span part;
    struct error why;
    size_t at = 0;
    if (envelope_address(line, &part)) {
        require(part.p >= p && part.p + part.len <= p + len);
    }
    while (envelope_next_param(line, &at, &part)) {
        require(part.p >= p && part.p + part.len <= p + len && part.len > 0);
        (void)envelope_judge(ENVELOPE_MAIL, part, NULL, false, &why);
        (void)envelope_judge(ENVELOPE_RCPT, part, NULL, true, &why);
    }
}

static void read_others(const char *p, size_t len)
{
    struct proxy_header header;
    struct message_scan scan;
    struct buf out, back;
    struct error error;
    if (proxy_header_read(p, len, &header) == ST_OK) {
        require(header.len <= len);
    }
    message_scan(p, len, &scan);
    require(scan.wire_octets >= len || len == 0 || scan.bare_ends == 0);
    buf_init(&out, 4 * len + 1024);
    buf_init(&back, len + 1);
    require(xtext_encode(p, len, &out) == ST_OK);
    require(xtext_decode(buf_str(&out), out.len, &back) == ST_OK && back.len == len);
    char *text = str_ndup(p, len);
    buf_clear(&out);
    enum status st = text != NULL ? xclient_line(text, &out, &error) : ST_OK;
    require(st != ST_OK || strpbrk(buf_str(&out), "\r\n") == NULL);
    free(text);
    buf_free(&out);
    buf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = size > 0 ? (const char *)data : "";
    read_script(p, size);
    read_notation(p, size);
    read_envelope(p, size);
    read_others(p, size);
    return 0;
}
