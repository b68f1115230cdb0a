/*
 * guide_file: reads one guide file into a sorted list of entries. Private to this room; the format is in
 * guide.h.
 *
 * Threads: pure but for guide_file_read, which reads a file. Ownership: a book owns its entries.
 */
#ifndef SMTPSCOPE_GUIDE_FILE_H
#define SMTPSCOPE_GUIDE_FILE_H

#include "guide.h"

#define GUIDE_ENTRIES_MAX 1024
#define GUIDE_FIELD_MAX (16u << 10)

struct guide_entry {
    char *name; /* "dns.mx.null", "check dns.mx", "reply.class.greylisted" */
    char *title, *means, *link;
    char *called, *sign; /* without arguments; NULL where nothing is said */
    struct guide_step steps[GUIDE_DO_MAX];
    size_t step_count;
    unsigned line; /* where it begins */
};

struct guide_book {
    struct guide_entry *entries; /* sorted by name */
    size_t count, cap;
};

/* `file` is for the error sentence. A book that failed is empty. */
enum status guide_file_parse(struct guide_book *book, const char *file, const char *p, size_t len,
                             struct error *error) MUST_CHECK;
/* A file that is not there, or that says what is `known` already, is an empty book and ST_OK. */
enum status guide_file_read(struct guide_book *book, const char *path, struct span known,
                            struct error *error) MUST_CHECK;
void guide_book_free(struct guide_book *book);
const struct guide_entry *guide_book_find(const struct guide_book *book, const char *name);

/* The word behind "do": client, server, dns, network, third-party, tool or any. */
bool guide_who(const char *word, size_t len, enum who *out);

#endif
