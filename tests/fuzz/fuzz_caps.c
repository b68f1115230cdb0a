/*
 * Any octets as the answer to EHLO: what is kept stays inside its bounds, is terminated, and only
 * mechanisms that are names become names.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "caps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

static void check(const struct caps *c, size_t lines)
{
    require(c->count <= CAPS_MAX && c->count + c->dropped < lines + 1);
    require(c->mech_count <= CAPS_MECHS_MAX);
    require(memchr(c->greeting_name, '\0', sizeof(c->greeting_name)) != NULL);
    require(memchr(c->greeting_text, '\0', sizeof(c->greeting_text)) != NULL);
    for (size_t i = 0; i < c->count; i++) {
        const struct cap *cap = &c->list[i];
        require(memchr(cap->text, '\0', sizeof(cap->text)) != NULL);
        require(cap->keyword_len < sizeof(cap->text));
        require((unsigned)cap->id <= CAP_OTHER);
        require(cap->id == CAP_OTHER || cap_meaning(cap->id)[0] != '\0');
        require(caps_find(c, cap->id) != NULL);
    }
    for (size_t i = 0; i < c->mech_count; i++) {
        size_t len = strlen(c->mechs[i]);
        require(len > 0 && len < sizeof(c->mechs[i]));
        require(strspn(c->mechs[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == len);
        require(caps_has_mech(c, c->mechs[i]));
        for (size_t k = 0; k < i; k++) {
            require(strcmp(c->mechs[i], c->mechs[k]) != 0);
        }
    }
    require(c->mech_count == 0 || caps_has(c, CAP_AUTH));
    require(!c->has_size || caps_has(c, CAP_SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reply r;
    static struct caps esmtp, helo;
    struct net_address seen;
    size_t used;
    reply_init(&r);
    enum status st = reply_feed(&r, (const char *)data, size, &used);
    if (st != ST_OK) {
        reply_end(&r);
    }
    caps_parse(&esmtp, &r, true);
    check(&esmtp, r.line_count);
    caps_parse(&helo, &r, false);
    check(&helo, r.line_count);
    require(helo.count == 0 && !helo.has_size && helo.mech_count == 0);
    require(strcmp(esmtp.greeting_text, helo.greeting_text) == 0);
    if (caps_seen_address(&esmtp, &seen)) {
        require(seen.family == 4 || seen.family == 6);
    }
    reply_free(&r);
    return 0;
}
