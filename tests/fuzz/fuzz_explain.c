/*
 * Any octets as what people paste into --explain. What is found must be within its bounds and be
 * what was there, whole and line by line, and nothing that has no code may be certain.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "bounce_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void check_line(void *ctx, struct span shown, const struct bounce_line *line)
{
    size_t *taken = ctx;
    (*taken)++;
    require(shown.len > 0);
    require(line->text_len <= sizeof(line->text));
    require(line->code == 0 || (line->code >= 200 && line->code <= 599));
    require((line->kind == BOUNCE_REPLY) == (line->code > 0));
    require(strlen(line->enhanced) < sizeof(line->enhanced));
    require(strlen(line->host) < sizeof(line->host));
    require(line->stage <= STAGE_QUIT);
    for (size_t i = 0; i < line->text_len; i++) {
        require((unsigned char)line->text[i] >= ' ' && line->text[i] != 0x7f);
    }
    struct reply_verdict v = bounce_line_decode(line);
    require(v.cause == NULL || (v.rule > 0 && v.basis != BASIS_NONE));
    require(line->kind != BOUNCE_NOTHING || v.confidence == CONFIDENCE_GUESS);
    require(v.basis != BASIS_CODE || v.confidence != CONFIDENCE_CERTAIN || v.vendor_spoke);
    require(v.cause != NULL || line->code < 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bounce_line line;
    const char *p = (const char *)data;
    struct bounce_reader reader;
    size_t taken = 0;
    size_t lines = 1;
    bounce_line_read((struct span){p, size}, &line);
    bounce_text_read((struct span){p, size}, check_line, &taken);
    for (size_t i = 0; i < size; i++) {
        lines += p[i] == '\n' ? 1 : 0;
    }
    require(taken <= lines);
    taken = 0;
    bounce_reader_init(&reader, check_line, &taken);
    while (size > 0) {
        const char *end = memchr(p, '\n', size);
        size_t n = end != NULL ? (size_t)(end - p) : size;
        bounce_reader_line(&reader, (struct span){p, n});
        n += end != NULL ? 1 : 0;
        p += n;
        size -= n;
    }
    bounce_reader_end(&reader);
    bounce_reader_free(&reader);
    require(taken <= lines);
    return 0;
}
