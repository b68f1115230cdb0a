/*
 * playbook_file: reads one playbook. Private to this room; the format is in playbook.h.
 *
 * playbook_file.c reads lines and nodes, playbook_keys.c what the lines say, playbook_check.c looks
 * whether it all makes a whole.
 *
 * Threads: pure. Ownership: playbook_free.
 */
#ifndef SMTPSCOPE_PLAYBOOK_FILE_H
#define SMTPSCOPE_PLAYBOOK_FILE_H

#include "playbook.h"

#define PLAYBOOK_FIELD_MAX (8u << 10)
#define PLAYBOOK_ORDER_DEFAULT 50
#define PLAYBOOK_ORDER_MAX 99

/* `file` is for the error sentence. */
enum status playbook_parse(struct playbook **out, const char *name, const char *file, const char *p,
                           size_t len, const struct playbook_known *known, struct error *error)
    MUST_CHECK;
void playbook_free(struct playbook *book);

/* A way to a node that may not have been read yet. */
struct playbook_jump {
    size_t node, rule; /* rule PLAYBOOK_NOWHERE: its skip */
    char to[PLAYBOOK_NAME_MAX];
    unsigned line;
};

struct playbook_reader {
    struct playbook *book;
    struct playbook_node *node; /* the last one, or NULL before the first */
    const struct playbook_known *known;
    const char *file;
    unsigned line;
    char **field; /* the text that an indented line continues, or NULL */
    struct playbook_jump *jumps;
    size_t jump_count;
    bool has_order;
    struct error *error;
};

enum status playbook_no_memory(const struct playbook_reader *r);

/* playbook_keys.c: "key argument: text", which is taken apart. */
enum status playbook_key(struct playbook_reader *r, char *line) MUST_CHECK;
enum status playbook_name_check(const struct playbook_reader *r, const char *text) MUST_CHECK;
/* Sets the text that is being read, or adds a line to it. */
enum status playbook_text_add(struct playbook_reader *r, const char *text) MUST_CHECK;

/* playbook_check.c: every node is whole, and so are the ways between them. Sets `ahead`. */
enum status playbook_check(struct playbook *book, const char *file,
                           const struct playbook_known *known, struct error *error) MUST_CHECK;

#endif
