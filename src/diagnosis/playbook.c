#include "playbook.h"

#include <stdlib.h>
#include <string.h>

#include "fill.h"

#define BLANKS " \t"

/* * is anything, also nothing. */
static bool glob(const char *pattern, size_t len, const char *text)
{
    const char *star = NULL, *again = NULL, *end = pattern + len;
    while (*text != '\0') {
        if (pattern < end && *pattern == '*') {
            star = pattern++;
            again = text;
        } else if (pattern < end && *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*') {
        pattern++;
    }
    return pattern == end;
}

bool playbook_pattern(const char *pattern, const char *id)
{
    return glob(pattern, strlen(pattern), id);
}

/* One part of a rule, p[0..len): the pattern and the verdicts behind it. */
static bool part_matches(const char *p, size_t len, const struct playbook_outcome *outcome)
{
    const char *end = p + len;
    p += strspn(p, BLANKS);
    size_t n = strcspn(p, BLANKS ",");
    if (!glob(p, n, outcome->id)) {
        return false;
    }
    bool any = true;
    for (p += n; p < end; p += n) {
        size_t blanks = strspn(p, BLANKS);
        p += blanks;
        n = strcspn(p, BLANKS ",");
        if (p >= end || n == 0) {
            break;
        }
        any = false;
        if (strlen(outcome->verdict) == n && memcmp(outcome->verdict, p, n) == 0) {
            return true;
        }
    }
    return any;
}

size_t playbook_match(const char *when, const struct playbook_outcome *outcomes, size_t count)
{
    for (const char *p = when;;) {
        size_t len = strcspn(p, ",");
        for (size_t i = 0; i < count; i++) {
            if (part_matches(p, len, &outcomes[i])) {
                return i;
            }
        }
        if (p[len] == '\0') {
            return SIZE_MAX;
        }
        p += len + 1;
    }
}

void playbook_walk_begin(struct playbook_walk *w, const struct playbook *book)
{
    memset(w, 0, sizeof(*w));
    w->book = book;
    w->depth = 1;
    w->visits[0] = 1;
}

void playbook_restart(struct playbook_walk *w)
{
    memset(w->path, 0, sizeof(w->path));
    memset(w->visits, 0, sizeof(w->visits));
    w->depth = 1;
    w->visits[0] = 1;
    w->rule = NULL;
}

void playbook_walk_free(struct playbook_walk *w)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        free(w->facts[i].value);
    }
    memset(w, 0, sizeof(*w));
}

static size_t here(const struct playbook_walk *w)
{
    return w->path[w->depth - 1].node;
}

const struct playbook_node *playbook_node(const struct playbook_walk *w)
{
    return &w->book->nodes[here(w)];
}

size_t playbook_place(const struct playbook_walk *w, size_t *about)
{
    *about = w->depth - 1 + playbook_node(w)->ahead;
    return w->depth;
}

enum status playbook_set_fact(struct playbook_walk *w, const char *name, const char *value)
{
    size_t i = 0;
    while (i < w->fact_count && strcmp(w->facts[i].name, name) != 0) {
        i++;
    }
    bool nothing = value == NULL || value[0] == '\0';
    if (i == w->fact_count) {
        if (nothing) {
            return ST_OK;
        }
        if (i == PLAYBOOK_FACTS_MAX || strlen(name) >= sizeof(w->facts[i].name)) {
            return ST_LIMIT;
        }
        str_copy(w->facts[i].name, sizeof(w->facts[i].name), name);
        w->facts[i].value = NULL;
        w->fact_count++;
    }
    return str_set(&w->facts[i].value, nothing ? NULL : value);
}

const char *playbook_fact(const struct playbook_walk *w, const char *name)
{
    for (size_t i = 0; i < w->fact_count; i++) {
        if (strcmp(w->facts[i].name, name) == 0) {
            return w->facts[i].value;
        }
    }
    return NULL;
}

static const char *word_of(const void *ctx, struct span name)
{
    const struct playbook_walk *w = ctx;
    for (size_t i = 0; i < w->fact_count; i++) {
        if (strlen(w->facts[i].name) == name.len &&
            memcmp(w->facts[i].name, name.p, name.len) == 0) {
            return w->facts[i].value;
        }
    }
    return NULL;
}

enum status playbook_fill(const struct playbook_walk *w, const char *text, unsigned escape_flags,
                          struct buf *out)
{
    return text != NULL ? fill_text(out, text, word_of, w, escape_flags) : ST_OK;
}

enum status playbook_decide(struct playbook_walk *w, const struct playbook_outcome *outcomes,
                            size_t count)
{
    const struct playbook_node *n = playbook_node(w);
    for (size_t i = 0; i < n->rule_count; i++) {
        const struct playbook_rule *rule = &n->rules[i];
        size_t by = rule->when != NULL ? playbook_match(rule->when, outcomes, count) : SIZE_MAX;
        if (rule->when != NULL && by == SIZE_MAX) {
            continue;
        }
        w->rule = rule;
        str_copy(w->by, sizeof(w->by), by != SIZE_MAX ? outcomes[by].id : "");
        return ST_OK;
    }
    w->rule = NULL;
    return ST_INVALID;
}

/* Every circle has a question in it (playbook_check.c), so that is where it is stopped. */
static enum status go_to(struct playbook_walk *w, size_t to, const char *by)
{
    const struct playbook_node *n = playbook_node(w);
    bool question = n->kind == PLAYBOOK_CHOICE || n->kind == PLAYBOOK_FIELD;
    if ((question && w->visits[to] >= PLAYBOOK_VISITS_MAX) || w->depth == PLAYBOOK_PATH_MAX ||
        w->visits[to] == UINT8_MAX) {
        return ST_LIMIT;
    }
    w->path[w->depth].node = (uint8_t)to;
    str_copy(w->path[w->depth].by, sizeof(w->path[w->depth].by), by);
    w->depth++;
    w->visits[to]++;
    w->rule = NULL;
    return ST_OK;
}

enum status playbook_go(struct playbook_walk *w)
{
    return w->rule != NULL ? go_to(w, w->rule->to, w->by) : ST_INVALID;
}

enum status playbook_skip(struct playbook_walk *w)
{
    size_t to = playbook_node(w)->skip_to;
    return to != PLAYBOOK_NOWHERE ? go_to(w, to, "") : ST_INVALID;
}

bool playbook_back(struct playbook_walk *w)
{
    if (w->depth <= 1) {
        return false;
    }
    w->visits[here(w)]--;
    w->depth--;
    w->rule = NULL;
    return true;
}

const char *playbook_cause(const struct playbook_walk *w)
{
    const struct playbook_node *n = playbook_node(w);
    if (n->cause != NULL) {
        return n->cause;
    }
    const char *by = w->path[w->depth - 1].by;
    return by[0] != '\0' ? by : NULL;
}
