/*
 * guarded: a copy of some bytes that ends exactly at an unmapped page, so that reading one byte
 * too far crashes the test instead of passing by luck.
 *
 * Threads: tests are single-threaded. Ownership: guarded_free unmaps.
 */
#ifndef SMTPSCOPE_TEST_GUARDED_H
#define SMTPSCOPE_TEST_GUARDED_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    char *p;
    size_t len;
    char *map;
    size_t mapped;
};

static inline struct guarded guarded_copy(const void *bytes, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (len / page + 2) * page;
    char *map = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    /* Not assert(): a build without it would go on and prove nothing. */
    if (map == MAP_FAILED || mprotect(map + mapped - page, page, PROT_NONE) != 0) {
        abort();
    }
    struct guarded g = {map + mapped - page - len, len, map, mapped};
    if (len > 0) {
        memcpy(g.p, bytes, len);
    }
    return g;
}

static inline void guarded_free(struct guarded *g)
{
    munmap(g->map, g->mapped);
}

#endif
