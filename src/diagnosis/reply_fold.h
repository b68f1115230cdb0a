/*
 * reply_fold: texts of replies, and patterns of words, in the form in which they are compared. The
 * compiler of the rules uses the same code as the decoder, so that they cannot disagree.
 *
 * Folded text is lower case with one blank between words and one at both ends. Letters of Latin
 * scripts lose their accents ("Boîte" is "boite"), Cyrillic loses its capitals, and bytes that are
 * no UTF-8 are read as Latin-1. What is neither letter nor digit parts words. Mail addresses are left
 * out.
 *
 * A pattern is text in that form with three signs: '*' stands for anything or nothing, '#' for one
 * digit, and '_' for the place where a word begins or ends.
 *
 * Threads: pure. Ownership: the caller's buffers.
 */
#ifndef SMTPSCOPE_REPLY_FOLD_H
#define SMTPSCOPE_REPLY_FOLD_H

#include "buf.h"

#define FOLD_WORDS_MAX 120 /* of one pattern */

/* Three bytes of a text, hashed: what a pattern has and the text lacks need not be searched for. */
#define FOLD_GRAM_BITS 2048u
#define FOLD_GRAMS_KEPT 4

struct fold_grams {
    uint64_t bits[FOLD_GRAM_BITS / 64];
};

/* Folds as much as fits; size >= 3. Returns the length of the result, which ends in a NUL. */
size_t fold_text(struct span text, char *out, size_t size);
void fold_grams(const char *folded, size_t len, struct fold_grams *out);

/* True when the pattern is written as folded text would be. Else *wrong is the byte that is not. */
bool fold_pattern_check(const char *pattern, const char **wrong);
/* The signs '_' become blanks. The other two stay. */
void fold_pattern_prepare(char *pattern);
/* Up to FOLD_GRAMS_KEPT grams of a prepared pattern, those of its longest piece. Returns how many. */
size_t fold_pattern_grams(const char *pattern, uint16_t grams[FOLD_GRAMS_KEPT]);

bool fold_has_grams(const struct fold_grams *text, const uint16_t *grams, size_t count);
/* Both prepared and folded. The pieces must stand in the text in this order. */
bool fold_match(const char *folded, size_t len, const char *pattern);

#endif
