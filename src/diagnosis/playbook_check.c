#include <string.h>

#include "fill.h"
#include "playbook_file.h"
#include "text.h"

struct checker {
    struct playbook *book;
    const char *file;
    const struct playbook_known *known;
    struct error *error;
};

static bool takes(const struct playbook_rule *rule, const struct playbook_choice *choice)
{
    const struct playbook_outcome outcome = {choice->name, ""};
    return rule->when == NULL || playbook_match(rule->when, &outcome, 1) != SIZE_MAX;
}

/* Every choice leads somewhere, and no rule waits for a choice that there is not. */
static enum status choices_check(const struct checker *c, const struct playbook_node *n)
{
    for (size_t i = 0; i < n->choice_count; i++) {
        size_t k = 0;
        while (k < n->rule_count && !takes(&n->rules[k], &n->choices[i])) {
            k++;
        }
        if (k == n->rule_count) {
            return error_set(c->error, ST_INVALID, 0,
                             _("%s:%u: no rule of [%s] takes the choice %s"), c->file, n->line,
                             n->name, n->choices[i].name);
        }
    }
    for (size_t i = 0; i < n->rule_count; i++) {
        size_t k = 0;
        while (k < n->choice_count && !takes(&n->rules[i], &n->choices[k])) {
            k++;
        }
        if (k == n->choice_count) {
            return error_set(c->error, ST_INVALID, 0, _("%s:%u: [%s] has no such choice"), c->file,
                             n->rules[i].line, n->name);
        }
    }
    return ST_OK;
}

static enum status node_check(const struct checker *c, const struct playbook_node *n)
{
    const char *missing = n->kind == PLAYBOOK_NONE                            ? "run:, ask:, end:"
                          : n->say == NULL                                    ? "say:"
                          : n->kind == PLAYBOOK_CHOICE && n->choice_count < 2 ? "choice"
                                                                              : NULL;
    if (missing != NULL) {
        return error_set(c->error, ST_INVALID, 0, _("%s:%u: expected %s in [%s]"), c->file, n->line,
                         missing, n->name);
    }
    if (n->kind == PLAYBOOK_CHOICE) {
        return choices_check(c, n);
    }
    bool open = n->rule_count == 0 || n->rules[n->rule_count - 1].when != NULL;
    if (n->kind != PLAYBOOK_END && open) {
        return error_set(c->error, ST_INVALID, 0,
                         _("%s:%u: expected otherwise: as the last rule of [%s]"), c->file, n->line,
                         n->name);
    }
    return ST_OK;
}

/* What somebody types is a word for all texts, wherever it is asked. */
static bool is_fact(const struct checker *c, const char *name)
{
    for (size_t i = 0; i < c->book->count; i++) {
        const char *field = c->book->nodes[i].field;
        if (field != NULL && strcmp(field, name) == 0) {
            return true;
        }
    }
    return c->known == NULL || c->known->fact == NULL || c->known->fact(name);
}

static enum status text_check(const struct checker *c, const struct playbook_node *n,
                              const char *text)
{
    if (!fill_brackets_match(text)) {
        return error_set(c->error, ST_INVALID, 0, _("%s:%u: expected ]] for every [[ in [%s]"),
                         c->file, n->line, n->name);
    }
    const char *p = text != NULL ? strchr(text, '{') : NULL;
    while (p != NULL) {
        struct span name = {NULL, 0};
        size_t len = p[1] == '{' ? 2 : fill_placeholder(p, &name);
        char word[PLAYBOOK_NAME_MAX] = "";
        if (name.p != NULL) {
            memcpy(word, name.p, name.len);
        }
        if (name.p != NULL && !is_fact(c, word)) {
            return error_set(c->error, ST_INVALID, 0, _("%s:%u: nothing is known as {%s} in [%s]"),
                             c->file, n->line, word, n->name);
        }
        p = strchr(p + len, '{');
    }
    return ST_OK;
}

static enum status texts_check(const struct checker *c, const struct playbook_node *n)
{
    const char *const single[] = {n->say, n->why, n->question, n->title, n->message};
    enum status st = ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(single) && st == ST_OK; i++) {
        st = text_check(c, n, single[i]);
    }
    for (size_t i = 0; i < n->choice_count && st == ST_OK; i++) {
        st = text_check(c, n, n->choices[i].text);
    }
    for (size_t i = 0; i < n->rule_count && st == ST_OK; i++) {
        st = text_check(c, n, n->rules[i].explain);
    }
    for (size_t i = 0; i < n->todo_count && st == ST_OK; i++) {
        st = text_check(c, n, n->todo[i].text);
    }
    return st;
}

/* The nodes that one leads to: bit for bit, which is why there are at most 64. */
static uint64_t ways(const struct playbook_node *n)
{
    uint64_t to = 0;
    for (size_t i = 0; i < n->rule_count; i++) {
        to |= UINT64_C(1) << n->rules[i].to;
    }
    return n->skip_to != PLAYBOOK_NOWHERE ? to | UINT64_C(1) << n->skip_to : to;
}

static bool is_question(const struct playbook_node *n)
{
    return n->kind == PLAYBOOK_CHOICE || n->kind == PLAYBOOK_FIELD;
}

/* Grows the set by whatever leads into it, or is led to, until nothing more comes. */
static uint64_t spread(const struct playbook *book, uint64_t set, bool backwards)
{
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t i = 0; i < book->count; i++) {
            uint64_t bit = UINT64_C(1) << i, to = ways(&book->nodes[i]);
            uint64_t more = backwards ? ((to & set) != 0 ? bit : 0) : ((set & bit) != 0 ? to : 0);
            grown = grown || (more & ~set) != 0;
            set |= more;
        }
    }
    return set;
}

static bool is_led_to(const struct playbook *book, uint64_t from, size_t at)
{
    for (size_t i = 0; i < book->count; i++) {
        if ((from >> i & 1u) != 0 && (ways(&book->nodes[i]) >> at & 1u) != 0) {
            return true;
        }
    }
    return false;
}

/* A circle without a question would have nobody to stop it. NULL: there is none. */
static const struct playbook_node *circle(const struct playbook *book)
{
    uint64_t left = 0;
    for (size_t i = 0; i < book->count; i++) {
        left |= is_question(&book->nodes[i]) ? 0 : UINT64_C(1) << i;
    }
    /* What leads to none of those left, or is led to by none, is in no circle and is taken away. */
    for (bool taken = true; taken;) {
        taken = false;
        for (size_t i = 0; i < book->count; i++) {
            uint64_t bit = UINT64_C(1) << i;
            if ((left & bit) != 0 &&
                ((ways(&book->nodes[i]) & left) == 0 || !is_led_to(book, left, i))) {
                left &= ~bit;
                taken = true;
            }
        }
    }
    for (size_t i = 0; i < book->count; i++) {
        if ((left >> i & 1u) != 0) {
            return &book->nodes[i];
        }
    }
    return NULL;
}

static size_t count_ahead(struct playbook *book, size_t at, uint64_t behind)
{
    struct playbook_node *n = &book->nodes[at];
    if (n->ahead > 0) {
        return n->ahead;
    }
    behind |= UINT64_C(1) << at;
    size_t most = 0;
    for (size_t i = 0; i < n->rule_count; i++) {
        if ((behind >> n->rules[i].to & 1u) == 0) {
            size_t ahead = count_ahead(book, n->rules[i].to, behind);
            most = ahead > most ? ahead : most;
        }
    }
    n->ahead = most + 1;
    return n->ahead;
}

static enum status ways_check(const struct checker *c)
{
    struct playbook *book = c->book;
    uint64_t ends = 0;
    for (size_t i = 0; i < book->count; i++) {
        ends |= book->nodes[i].kind == PLAYBOOK_END ? UINT64_C(1) << i : 0;
    }
    uint64_t reached = spread(book, 1, false), ending = spread(book, ends, true);
    for (size_t i = 0; i < book->count; i++) {
        const struct playbook_node *n = &book->nodes[i];
        if ((reached >> i & 1u) == 0) {
            return error_set(c->error, ST_INVALID, 0, _("%s:%u: nothing leads to [%s]"), c->file,
                             n->line, n->name);
        }
        if ((ending >> i & 1u) == 0) {
            return error_set(c->error, ST_INVALID, 0, _("%s:%u: no way from [%s] comes to an end"),
                             c->file, n->line, n->name);
        }
    }
    const struct playbook_node *n = circle(book);
    if (n != NULL) {
        return error_set(c->error, ST_INVALID, 0,
                         _("%s:%u: [%s] leads back to itself without a question on the way"),
                         c->file, n->line, n->name);
    }
    for (size_t i = 0; i < book->count; i++) {
        (void)count_ahead(book, i, 0);
    }
    return ST_OK;
}

enum status playbook_check(struct playbook *book, const char *file,
                           const struct playbook_known *known, struct error *error)
{
    const struct checker c = {book, file, known, error};
    enum status st = ST_OK;
    for (size_t i = 0; i < book->count && st == ST_OK; i++) {
        st = node_check(&c, &book->nodes[i]);
        if (st == ST_OK) {
            st = texts_check(&c, &book->nodes[i]);
        }
    }
    return st == ST_OK ? ways_check(&c) : st;
}
