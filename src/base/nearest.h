/*
 * nearest: the known word that a mistyped one was probably meant to be.
 *
 * Threads: pure. Ownership: none.
 */
#ifndef SMTPSCOPE_NEAREST_H
#define SMTPSCOPE_NEAREST_H

#include "base.h"

#define NEAREST_WORD_MAX 64 /* longer words have no neighbours */

/* How many letters have to be put in, taken out, replaced, or swapped with the next one. */
size_t nearest_distance(const char *a, const char *b);
/*
 * The index of the nearest of `count` words, which `word_at` hands out (NULL: left out). `count`
 * when none is near enough to be worth a proposal.
 */
size_t nearest_word(const char *word, const char *(*word_at)(const void *ctx, size_t i),
                    const void *ctx, size_t count);

#endif
