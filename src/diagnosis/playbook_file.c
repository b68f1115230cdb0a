#include "playbook_file.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "textfile.h"

#define BLANKS " \t"

static void node_free(struct playbook_node *n)
{
    for (size_t i = 0; i < n->step_count; i++) {
        free(n->steps[i]);
    }
    for (size_t i = 0; i < n->choice_count; i++) {
        free(n->choices[i].name);
        free(n->choices[i].text);
    }
    for (size_t i = 0; i < n->rule_count; i++) {
        free(n->rules[i].when);
        free(n->rules[i].explain);
    }
    for (size_t i = 0; i < n->todo_count; i++) {
        free(n->todo[i].text);
    }
    free(n->rules);
    free(n->name);
    free(n->say);
    free(n->why);
    free(n->question);
    free(n->field);
    free(n->title);
    free(n->cause);
    free(n->message);
}

void playbook_free(struct playbook *book)
{
    if (book == NULL) {
        return;
    }
    for (size_t i = 0; i < book->count; i++) {
        node_free(&book->nodes[i]);
    }
    free(book->nodes);
    free(book->name);
    free(book->symptom);
    free(book->about);
    free(book);
}

enum status playbook_no_memory(const struct playbook_reader *r)
{
    return error_set(r->error, ST_NOMEM, 0, _("%s:%u: not enough memory"), r->file, r->line);
}

static enum status node_begin(struct playbook_reader *r, char *line)
{
    struct playbook *book = r->book;
    size_t len = strlen(line);
    if (line[len - 1] != ']') {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected ] at the end of the line"),
                         r->file, r->line);
    }
    line[len - 1] = '\0';
    const char *name = line + 1;
    enum status st = playbook_name_check(r, name);
    for (size_t i = 0; i < book->count && st == ST_OK; i++) {
        if (strcmp(book->nodes[i].name, name) == 0) {
            st = error_set(r->error, ST_INVALID, 0, _("%s:%u: [%s] is there already, line %u"),
                           r->file, r->line, name, book->nodes[i].line);
        }
    }
    if (st == ST_OK && book->count == PLAYBOOK_NODES_MAX) {
        st = error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d nodes"), r->file, r->line,
                       PLAYBOOK_NODES_MAX);
    }
    if (st != ST_OK) {
        return st;
    }
    struct playbook_node *grown = realloc(book->nodes, (book->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return playbook_no_memory(r);
    }
    book->nodes = grown;
    r->node = &book->nodes[book->count++];
    *r->node = (struct playbook_node){.skip_to = PLAYBOOK_NOWHERE, .line = r->line};
    r->field = NULL;
    r->node->name = str_dup(name);
    return r->node->name != NULL ? ST_OK : playbook_no_memory(r);
}

static enum status line_read(struct playbook_reader *r, char *line)
{
    if (line[0] == '#') {
        return ST_OK;
    }
    size_t blanks = strspn(line, BLANKS);
    if (line[blanks] == '\0') {
        r->field = NULL;
        return ST_OK;
    }
    if (line[0] == '[') {
        return node_begin(r, line);
    }
    if (blanks > 0) {
        if (r->field == NULL) {
            return error_set(r->error, ST_INVALID, 0,
                             _("%s:%u: expected a line before it that this one continues"), r->file,
                             r->line);
        }
        return playbook_text_add(r, line + blanks);
    }
    return playbook_key(r, line);
}

static enum status jumps_resolve(struct playbook_reader *r)
{
    struct playbook *book = r->book;
    for (size_t i = 0; i < r->jump_count; i++) {
        const struct playbook_jump *jump = &r->jumps[i];
        struct playbook_node *from = &book->nodes[jump->node];
        size_t to = 0;
        while (to < book->count && strcmp(book->nodes[to].name, jump->to) != 0) {
            to++;
        }
        if (to == book->count) {
            return error_set(r->error, ST_INVALID, 0, _("%s:%u: there is no node [%s]"), r->file,
                             jump->line, jump->to);
        }
        if (jump->rule == PLAYBOOK_NOWHERE) {
            from->skip_to = to;
        } else {
            from->rules[jump->rule].to = to;
        }
    }
    for (size_t i = 0; i < book->count; i++) {
        struct playbook_node *n = &book->nodes[i];
        bool last = n->rule_count > 0 && n->rules[n->rule_count - 1].when == NULL;
        if (n->skip_to == PLAYBOOK_NOWHERE && last) {
            n->skip_to = n->rules[n->rule_count - 1].to;
        }
    }
    return ST_OK;
}

static enum status whole_check(struct playbook_reader *r)
{
    const struct playbook *book = r->book;
    const char *missing = book->symptom == NULL ? "symptom:"
                          : book->about == NULL ? "about:"
                          : book->count == 0    ? "[node]"
                                                : NULL;
    if (missing != NULL) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected %s before the end"), r->file,
                         r->line, missing);
    }
    enum status st = jumps_resolve(r);
    return st == ST_OK ? playbook_check(r->book, r->file, r->known, r->error) : st;
}

enum status playbook_parse(struct playbook **out, const char *name, const char *file, const char *p,
                           size_t len, const struct playbook_known *known, struct error *error)
{
    *out = NULL;
    struct playbook_reader r = {.file = file, .known = known, .error = error};
    struct textfile text = textfile_over(file, p, len);
    struct buf line;
    buf_init(&line, PLAYBOOK_FIELD_MAX);
    r.book = calloc(1, sizeof(*r.book));
    enum status st = r.book != NULL ? str_set(&r.book->name, name) : ST_NOMEM;
    if (st != ST_OK) {
        st = playbook_no_memory(&r);
        goto out;
    }
    r.book->order = PLAYBOOK_ORDER_DEFAULT;
    while ((st = textfile_line(&text, &line, error)) == ST_OK) {
        r.line = text.line;
        st = line_read(&r, line.p);
        if (st != ST_OK) {
            goto out;
        }
    }
    if (st == ST_EOF) {
        st = whole_check(&r);
    }
out:
    buf_free(&line);
    free(r.jumps);
    if (st == ST_OK) {
        *out = r.book;
    } else {
        playbook_free(r.book);
    }
    return st;
}
