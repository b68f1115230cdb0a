/*
 * replies_book: the rules about replies, read from assets/replies.txt while the program is built,
 * checked, and written as C tables (reply_table.h). The format is described at the top of that file.
 *
 * Every fault is a sentence that names file, line and what was expected, and ends the build: at run
 * time nothing can be wrong with the rules any more.
 *
 * Threads: one. Ownership: book_free.
 */
#ifndef SMTPSCOPE_REPLIES_BOOK_H
#define SMTPSCOPE_REPLIES_BOOK_H

#include <stdio.h>

#include "reply_table.h"

#define BOOK_FILE_MAX (4u << 20)
#define BOOK_LINE_MAX 1024
#define BOOK_CAUSES_MAX 1000
#define BOOK_RULES_MAX 20000
#define BOOK_MARKS_MAX 1000
#define BOOK_ID_MAX 64
#define BOOK_TEXT_MAX 128

struct book_vendor {
    char id[BOOK_ID_MAX], name[BOOK_TEXT_MAX];
    unsigned line;
};

struct book_mark {
    char *mark;
    enum reply_mark_place place;
    unsigned vendor, line;
};

struct book_cause {
    char id[BOOK_ID_MAX]; /* as written: without "reply." */
    char reference[BOOK_TEXT_MAX];
    enum reply_class class;
    enum who who;
    bool has_class, has_who;
    unsigned line;
};

/* One alternative of the words of a rule is one rule. `words` as in the file. */
struct book_rule {
    struct reply_rule r; /* r.words is not used */
    char *words;
    unsigned line;
};

struct book {
    const char *file; /* for sentences */
    struct book_vendor *vendors;
    struct book_mark *marks;
    struct book_cause *causes;
    struct book_rule *rules;
    size_t vendor_count, mark_count, cause_count, rule_count;
};

/* ST_INVALID with a sentence. The book is empty then, and has to be freed in all cases. */
enum status book_read(struct book *b, const char *file, const char *p, size_t len,
                      struct error *error) MUST_CHECK;
/* What only shows in the whole: missing causes of classes, rules that can never speak. Puts the rules
   into the order in which they win. */
enum status book_check(struct book *b, struct error *error) MUST_CHECK;
/* False when `out` cannot be written. */
bool book_write(const struct book *b, FILE *out);
void book_free(struct book *b);

/* The names in the file, and as C writes them. NULL past the last. */
const char *book_class_name(size_t i);
const char *book_class_symbol(size_t i);
const char *book_who_symbol(enum who who);
bool book_who_find(const char *name, enum who *out);

#endif
