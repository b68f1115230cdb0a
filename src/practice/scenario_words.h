/*
 * scenario_words: the lowest level of the scenario reader: lines, words, numbers, texts, and
 * messages that name file and line.
 *
 * A logical line is one or more physical lines joined by a backslash at their end. Words keep the
 * escapes of the file; scenario_text_add turns them into bytes.
 *
 * Threads: pure. Ownership: the reader borrows the file's text; words point into the reader's line
 * and live until the next one is read.
 */
#ifndef SMTPSCOPE_SCENARIO_WORDS_H
#define SMTPSCOPE_SCENARIO_WORDS_H

#include "scenario.h"

struct scenario_word {
    const char *p; /* NUL-terminated, without the quotes */
    bool quoted;
};

struct scenario_reader {
    const char *file;
    struct error *error;
    const char *text;
    size_t len, pos;
    unsigned line;      /* of the first physical line */
    unsigned next_line; /* of what is read next */
    bool indented;
    struct buf raw; /* the logical line without indentation */
    struct buf words_text;
    struct scenario_word words[SCENARIO_WORDS_MAX];
    size_t word_count, word_next;
};

void reader_init(struct scenario_reader *r, const char *file, const char *text, size_t len,
                 struct error *error);
void reader_free(struct scenario_reader *r);

/* ST_INVALID: what is wrong, behind file and line. The format gets what was found as text. */
enum status reader_fail(struct scenario_reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
enum status reader_no_memory(struct scenario_reader *r);

/* Next line that is neither empty nor a comment, into r->raw. ST_EOF at the end. */
enum status reader_line(struct scenario_reader *r) MUST_CHECK;
/* Makes words of r->raw. In a rule, a comma or colon at the end of a bare word is a word of its
 * own. */
enum status reader_split(struct scenario_reader *r, bool rule) MUST_CHECK;
const struct scenario_word *reader_take(struct scenario_reader *r); /* NULL at the end */
const struct scenario_word *reader_peek(const struct scenario_reader *r);
/* The bare word is next: takes it. */
bool reader_accept(struct scenario_reader *r, const char *word);
enum status reader_end(struct scenario_reader *r) MUST_CHECK; /* nothing may be left */
/* For messages: the next word escaped, or a phrase for the end of the line. */
const char *reader_found(const struct scenario_reader *r, char *out, size_t size);

/* Each takes one word, or says what it expected. */
enum status reader_number(struct scenario_reader *r, uint64_t max, uint64_t *out) MUST_CHECK;
enum status reader_time(struct scenario_reader *r, bool sign, int64_t *out) MUST_CHECK;
enum status reader_address(struct scenario_reader *r, struct net_address *out) MUST_CHECK;
enum status reader_clock(struct scenario_reader *r, int64_t *out) MUST_CHECK;
enum status reader_word(struct scenario_reader *r, char **out) MUST_CHECK; /* as it is */
/* A text of a server: escapes and placeholders are checked, the copy keeps them. */
enum status reader_text(struct scenario_reader *r, char **out) MUST_CHECK;
/* The same for all words that are left; at least one. */
enum status reader_words(struct scenario_reader *r, struct scenario_strings *out) MUST_CHECK;
enum status reader_texts(struct scenario_reader *r, struct scenario_strings *out) MUST_CHECK;
enum status strings_add(struct scenario_reader *r, struct scenario_strings *list,
                        char *taken) MUST_CHECK;
void strings_free(struct scenario_strings *list);

/* Room for one more element, zeroed; NULL when there is no memory or SCENARIO_LIST_MAX is reached.
 */
void *list_grow(void *list, size_t count, size_t size);

#define TEXT_FIELD_LIST(X)                                                                         \
    X(FIELD_HOST, "host")                                                                          \
    X(FIELD_CLIENT, "client")                                                                      \
    X(FIELD_HELO, "helo")                                                                          \
    X(FIELD_SENDER, "sender")                                                                      \
    X(FIELD_ADDRESS, "address")                                                                    \
    X(FIELD_COMMAND, "command")                                                                    \
    X(FIELD_ID, "id")                                                                              \
    X(FIELD_N, "n")                                                                                \
    X(FIELD_SIZE, "size")                                                                          \
    X(FIELD_DATE, "date")                                                                          \
    X(FIELD_SOFTWARE, "software")

enum text_field {
#define X(id, name) id,
    TEXT_FIELD_LIST(X)
#undef X
        FIELD_COUNT
};

typedef enum status text_fill(void *ctx, enum text_field field, struct buf *out);

/*
 * Appends the text with its escapes resolved and its placeholders filled in; fill == NULL: braces
 * are ordinary. ST_INVALID when it is malformed; *bad is then the place.
 */
enum status scenario_text_add(struct buf *out, const char *text, text_fill *fill, void *ctx,
                              const char **bad) MUST_CHECK;

#endif
