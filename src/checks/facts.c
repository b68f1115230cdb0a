#include "facts.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static const struct {
    const char *key, *title;
} timing_names[TIMING_COUNT] = {
    [TIMING_MX] = {"mx", N_("DNS MX")},
    [TIMING_ADDRESS] = {"address", N_("DNS A")},
    [TIMING_PTR] = {"ptr", N_("PTR")},
    [TIMING_CONNECT] = {"connect", N_("TCP")},
    [TIMING_BANNER] = {"banner", N_("banner")},
    [TIMING_EHLO] = {"ehlo", N_("EHLO")},
    [TIMING_STARTTLS] = {"starttls", N_("STARTTLS")},
    [TIMING_TLS] = {"tls", N_("TLS")},
    [TIMING_EHLO2] = {"ehlo2", N_("EHLO 2")},
    [TIMING_AUTH] = {"auth", N_("AUTH")},
    [TIMING_ENVELOPE] = {"envelope", N_("envelope")},
    [TIMING_DATA] = {"data", N_("DATA")},
};

static const size_t facts_strings[] = {
    offsetof(struct facts, mx),           offsetof(struct facts, ptr),
    offsetof(struct facts, own_address),  offsetof(struct facts, own_ptr),
    offsetof(struct facts, banner),       offsetof(struct facts, ehlo_name),
    offsetof(struct facts, capabilities), offsetof(struct facts, queue_id),
    offsetof(struct facts, message_id),
};

static char **string_at(struct facts *f, size_t i)
{
    return (char **)(void *)((char *)f + facts_strings[i]);
}

const char *timing_key(enum timing t)
{
    size_t i = (size_t)t;
    return i < TIMING_COUNT ? timing_names[i].key : "";
}

const char *timing_title(enum timing t)
{
    size_t i = (size_t)t;
    return i < TIMING_COUNT ? _(timing_names[i].title) : "";
}

void facts_init(struct facts *f, uint16_t path)
{
    memset(f, 0, sizeof(*f));
    f->path = path;
    f->preference = -1;
    for (size_t i = 0; i < TIMING_COUNT; i++) {
        f->timings[i].start_us = -1;
    }
}

void facts_free(struct facts *f)
{
    for (size_t i = 0; i < ARRAY_LEN(facts_strings); i++) {
        free(*string_at(f, i));
    }
    free(f->tls);
    facts_init(f, f->path);
}

enum status facts_copy(struct facts *dst, const struct facts *src)
{
    *dst = *src;
    dst->tls = NULL;
    for (size_t i = 0; i < ARRAY_LEN(facts_strings); i++) {
        *string_at(dst, i) = NULL;
    }
    enum status st = ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(facts_strings) && st == ST_OK; i++) {
        st = str_set(string_at(dst, i),
                     *(char *const *)(const void *)((const char *)src + facts_strings[i]));
    }
    if (st == ST_OK && src->tls != NULL) {
        dst->tls = malloc(sizeof(*dst->tls));
        if (dst->tls == NULL) {
            st = ST_NOMEM;
        } else {
            *dst->tls = *src->tls;
        }
    }
    if (st != ST_OK) {
        facts_free(dst);
    }
    return st;
}

void facts_timing(struct facts *f, enum timing t, int64_t start_us, int64_t end_us)
{
    f->timings[t].start_us = start_us;
    f->timings[t].length_us = end_us > start_us ? end_us - start_us : 0;
}
