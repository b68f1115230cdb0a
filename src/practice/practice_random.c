#include "practice_world.h"

#include <string.h>

void practice_random_seed(struct practice_random *r, uint64_t seed)
{
    r->state = seed;
}

/* splitmix64: nobody has to be kept from guessing here, and the same seed gives the same bytes. */
uint64_t practice_random_next(struct practice_random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void practice_random_fill(struct practice_random *r, void *p, size_t len)
{
    char *out = p;
    while (len > 0) {
        uint64_t v = practice_random_next(r);
        size_t n = len < sizeof(v) ? len : sizeof(v);
        memcpy(out, &v, n);
        out += n;
        len -= n;
    }
}
