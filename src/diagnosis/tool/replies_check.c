#include <stdlib.h>
#include <string.h>

#include "replies_book.h"

/* In the text that a pattern stands for: what nobody can know. */
#define ANYTHING '\1'
#define ANY_DIGIT '\2'

/*
 * The order in which rules win: guesses last; a vendor's own before those for all; the surer first;
 * words before the enhanced code before the code; and then as they stand in the file.
 */
static int compare_rules(const void *a, const void *b)
{
    const struct book_rule *x = a;
    const struct book_rule *y = b;
    int by = (int)(x->r.confidence == CONFIDENCE_GUESS) - (int)(y->r.confidence == CONFIDENCE_GUESS);
    by = by != 0 ? by : (int)(x->r.vendors == 0) - (int)(y->r.vendors == 0);
    by = by != 0 ? by : (int)y->r.confidence - (int)x->r.confidence;
    by = by != 0 ? by : (int)y->r.basis - (int)x->r.basis;
    if (by != 0 || x->line == y->line) {
        return by;
    }
    return x->line < y->line ? -1 : 1;
}

/* What is known of any text that the pattern is found in. */
static void known_text(const char *words, char *out)
{
    for (; *words != '\0'; words++, out++) {
        *out = *words == '*' ? ANYTHING : *words == '#' ? ANY_DIGIT : *words == '_' ? ' ' : *words;
    }
    *out = '\0';
}

static bool stands_at(const char *text, const char *piece, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool digit = piece[i] == '#' && (c == ANY_DIGIT || (c >= '0' && c <= '9'));
        if (!digit && c != piece[i]) {
            return false;
        }
    }
    return true;
}

/* True when wherever b is found, a is found, too. */
static bool words_cover(const char *a, const char *b)
{
    char pattern[FOLD_WORDS_MAX + 1];
    char buffer[FOLD_WORDS_MAX + 1];
    const char *text = buffer;
    if (a == NULL || b == NULL) {
        return a == NULL;
    }
    known_text(b, buffer);
    str_copy(pattern, sizeof(pattern), a);
    fold_pattern_prepare(pattern);
    for (const char *p = pattern; *p != '\0';) {
        size_t size = strcspn(p, "*");
        while (strlen(text) >= size && !stands_at(text, p, size)) {
            text++;
        }
        if (strlen(text) < size) {
            return false;
        }
        text += size - (size > 0 && text[size - 1] == ' ' ? 1 : 0);
        p += size + (p[size] == '*' ? 1 : 0);
    }
    return true;
}

static bool code_in(const struct reply_rule *a, uint16_t code)
{
    for (size_t i = 0; i < a->code_count; i++) {
        if (a->codes[i] == code || (code >= 100 && a->codes[i] == code / 100)) {
            return true;
        }
    }
    return false;
}

static bool enhanced_in(const struct reply_rule *a, const struct reply_enhanced *e)
{
    for (size_t i = 0; i < a->enhanced_count; i++) {
        const struct reply_enhanced *has = &a->enhanced[i];
        if (has->subject == e->subject && has->from <= e->from && has->to >= e->to) {
            return true;
        }
    }
    return false;
}

static bool codes_cover(const struct reply_rule *a, const struct reply_rule *b)
{
    bool all = a->code_count == 0 || b->code_count > 0;
    for (size_t i = 0; i < b->code_count && all && a->code_count > 0; i++) {
        all = code_in(a, b->codes[i]);
    }
    /* A rule without a code speaks of refusals alone. */
    for (size_t i = 0; i < b->code_count && all && a->code_count == 0; i++) {
        uint16_t digit = b->codes[i] >= 100 ? b->codes[i] / 100 : b->codes[i];
        all = digit >= 4;
    }
    return all;
}

static bool enhanced_cover(const struct reply_rule *a, const struct reply_rule *b)
{
    bool all = a->enhanced_count == 0 || b->enhanced_count > 0;
    for (size_t i = 0; i < b->enhanced_count && all && a->enhanced_count > 0; i++) {
        all = enhanced_in(a, &b->enhanced[i]);
    }
    return all;
}

/* True when a speaks whenever b could. */
static bool covers(const struct book_rule *a, const struct book_rule *b)
{
    bool vendors = a->r.vendors == 0 || (b->r.vendors != 0 && (b->r.vendors & ~a->r.vendors) == 0);
    bool stages =
        a->r.stages == 0 || (b->r.stages != 0 && (b->r.stages & (unsigned)~a->r.stages) == 0);
    return vendors && stages && codes_cover(&a->r, &b->r) && enhanced_cover(&a->r, &b->r) &&
           words_cover(a->words, b->words);
}

static enum status check_vendors(const struct book *b, struct error *error)
{
    for (size_t i = 0; i < b->vendor_count; i++) {
        const struct book_vendor *v = &b->vendors[i];
        if (v->name[0] == '\0') {
            return error_set(error, ST_INVALID, 0, "%s:%u: expected a name for vendor %s", b->file,
                             v->line, v->id);
        }
    }
    return ST_OK;
}

static bool is_class_cause(const struct book_cause *c)
{
    return strncmp(c->id, "class.", 6) == 0;
}

static enum status check_causes(const struct book *b, struct error *error)
{
    for (size_t i = 0; i < b->cause_count; i++) {
        const struct book_cause *c = &b->causes[i];
        if (!c->has_class || !c->has_who) {
            return error_set(error, ST_INVALID, 0, "%s:%u: expected class and who for cause %s",
                             b->file, c->line, c->id);
        }
        if (is_class_cause(c) &&
            (c->class == CLASS_NONE || strcmp(c->id + 6, book_class_name(c->class)) != 0)) {
            return error_set(error, ST_INVALID, 0,
                             "%s:%u: expected %s to be of the class that it is named after", b->file,
                             c->line, c->id);
        }
        bool spoken = is_class_cause(c);
        for (size_t k = 0; k < b->rule_count && !spoken; k++) {
            spoken = b->rules[k].r.cause == i;
        }
        if (!spoken) {
            return error_set(error, ST_INVALID, 0, "%s:%u: expected a rule for cause %s", b->file,
                             c->line, c->id);
        }
    }
    return ST_OK;
}

static enum status check_classes(const struct book *b, struct error *error)
{
    for (size_t k = CLASS_NONE + 1; book_class_name(k) != NULL; k++) {
        bool found = false;
        for (size_t i = 0; i < b->cause_count && !found; i++) {
            found = is_class_cause(&b->causes[i]) && b->causes[i].class == (enum reply_class)k;
        }
        if (!found) {
            return error_set(error, ST_INVALID, 0, "%s: expected a cause class.%s", b->file,
                             book_class_name(k));
        }
    }
    return ST_OK;
}

enum status book_check(struct book *b, struct error *error)
{
    enum status st = check_vendors(b, error);
    st = st == ST_OK ? check_causes(b, error) : st;
    st = st == ST_OK ? check_classes(b, error) : st;
    if (st != ST_OK) {
        return st;
    }
    if (b->rule_count > 0) {
        qsort(b->rules, b->rule_count, sizeof(*b->rules), compare_rules);
    }
    for (size_t i = 0; i < b->rule_count; i++) {
        const struct book_rule *rule = &b->rules[i];
        for (size_t k = 0; k < i; k++) {
            if (covers(&b->rules[k], rule)) {
                return error_set(error, ST_INVALID, 0,
                                 "%s:%u: this rule can never speak, line %u always wins: %s", b->file,
                                 rule->line, b->rules[k].line,
                                 rule->words != NULL ? rule->words : "codes alone");
            }
        }
    }
    return ST_OK;
}
