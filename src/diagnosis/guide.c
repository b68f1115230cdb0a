#include "guide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded.h"
#include "escape.h"
#include "fill.h"
#include "guide_file.h"
#include "reply_decode.h"
#include "text.h"

#define GUIDE_BOOKS 6 /* two files each: the language's, the changed English ones, the built-in ones */
#define GUIDE_PATH_MAX 4096

extern const struct embedded_file guide_files[];
extern const size_t guide_files_count;

struct guide {
    struct guide_book books[GUIDE_BOOKS]; /* in the order in which an entry is looked for */
    size_t count;
    size_t own; /* so many of them are in the language that was asked for */
    bool english; /* was asked for: words stay English, too, whatever the program speaks */
};

static const struct guide_entry *guide_entry_find(const struct guide *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct guide_entry *e = guide_book_find(&g->books[i], name);
        if (e != NULL) {
            return e;
        }
    }
    return NULL;
}

/* What a language's files are called behind its name. */
static const char *const parts[] = {"", "-replies"};

static bool is_english(const char *lang, size_t len)
{
    return len == 2 && memcmp(lang, "en", 2) == 0;
}

static const struct embedded_file *built_in(const char *part)
{
    char name[32];
    snprintf(name, sizeof(name), "en%s.txt", part);
    for (size_t i = 0; i < guide_files_count; i++) {
        if (strcmp(guide_files[i].name, name) == 0) {
            return &guide_files[i];
        }
    }
    return NULL;
}

/* Reads <dir>/guide/<lang>.txt and <lang>-replies.txt; those that are not there add no book. */
static enum status read_language(struct guide *g, const char *data_dir, const char *lang, size_t len,
                                 struct error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct buf path;
        buf_init(&path, GUIDE_PATH_MAX);
        enum status st =
            buf_addf(&path, "%s/guide/%.*s%s.txt", data_dir, (int)len, lang, parts[i]);
        if (st == ST_OK) {
            struct span known = {NULL, 0};
            if (is_english(lang, len) && built_in(parts[i]) != NULL) {
                known = (struct span){built_in(parts[i])->data, built_in(parts[i])->len};
            }
            st = guide_file_read(&g->books[g->count], path.p, known, error);
        } else {
            st = error_set(error, st, 0, _("The path of the guide is too long."));
        }
        buf_free(&path);
        if (st != ST_OK) {
            return st;
        }
        g->count += g->books[g->count].count > 0 ? 1 : 0;
    }
    return ST_OK;
}

/* "es_MX.UTF-8" is looked for as es_MX, then as es. */
static enum status read_own(struct guide *g, const char *data_dir, const char *lang,
                            struct error *error)
{
    size_t lengths[] = {strcspn(lang, ".@"), strcspn(lang, "_.@")};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        size_t len = lengths[i];
        /* A name from the environment must not lead out of the folder. */
        if (len == 0 || memchr(lang, '/', len) != NULL) {
            return ST_OK;
        }
        if (is_english(lang, len) || (i > 0 && len == lengths[0])) {
            return ST_OK;
        }
        enum status st = read_language(g, data_dir, lang, len, error);
        if (st != ST_OK) {
            return st;
        }
        if (g->count > 0) {
            g->own = g->count;
            return ST_OK;
        }
    }
    return ST_OK;
}

static enum status read_built_in(struct guide *g, struct error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct embedded_file *file = built_in(parts[i]);
        if (file == NULL) {
            return error_set(error, ST_INVALID, 0,
                             _("This program was built without its English guide."));
        }
        enum status st = guide_file_parse(&g->books[g->count], file->name, file->data, file->len,
                                          error);
        if (st != ST_OK) {
            return st;
        }
        g->count++;
    }
    return ST_OK;
}

static enum status read_english(struct guide *g, const char *data_dir, struct error *error)
{
    enum status st = data_dir != NULL ? read_language(g, data_dir, "en", 2, error) : ST_OK;
    return st == ST_OK ? read_built_in(g, error) : st;
}

enum status guide_load(struct guide **out, const char *data_dir, const char *lang,
                       struct error *error)
{
    *out = NULL;
    struct guide *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        return error_set(error, ST_NOMEM, 0, _("Not enough memory for the guide."));
    }
    enum status st = ST_OK;
    g->english = lang == NULL || is_english(lang, strcspn(lang, "_.@"));
    if (data_dir != NULL && lang != NULL) {
        st = read_own(g, data_dir, lang, error);
    }
    if (st == ST_OK) {
        st = read_english(g, data_dir, error);
    }
    if (st != ST_OK) {
        guide_free(g);
        return st;
    }
    if (g->own == 0) {
        g->own = g->count;
    }
    *out = g;
    return ST_OK;
}

void guide_free(struct guide *g)
{
    if (g == NULL) {
        return;
    }
    for (size_t i = 0; i < GUIDE_BOOKS; i++) {
        guide_book_free(&g->books[i]);
    }
    free(g);
}

static const char *argument(const void *ctx, struct span name)
{
    const struct finding *f = ctx;
    for (size_t i = 0; f != NULL && i < f->arg_count; i++) {
        if (strlen(f->args[i].name) == name.len && memcmp(f->args[i].name, name.p, name.len) == 0) {
            return f->args[i].value;
        }
    }
    return NULL;
}

static enum status fill_field(char **field, const char *text, const struct finding *f,
                              unsigned flags)
{
    if (text == NULL) {
        return ST_OK;
    }
    struct buf b;
    /* Every placeholder may be the longest argument, and every byte of it may become \u{XXXXXX}. */
    buf_init(&b, GUIDE_FILE_MAX);
    enum status st = ST_OK;
    if (*field != NULL) {
        st = buf_addf(&b, "%s ", *field);
    }
    if (st == ST_OK) {
        st = fill_text(&b, text, argument, f, flags);
    }
    if (st == ST_OK || st == ST_LIMIT) {
        st = str_set(field, buf_str(&b));
    }
    buf_free(&b);
    return st;
}

static enum status fill_steps(struct guide_text *out, const struct guide_entry *e,
                              const struct finding *f, unsigned flags)
{
    for (size_t i = 0; i < e->step_count && out->step_count < GUIDE_DO_MAX; i++) {
        struct guide_step *step = &out->steps[out->step_count];
        step->who = e->steps[i].who;
        enum status st = fill_field(&step->text, e->steps[i].text, f, flags);
        if (st != ST_OK) {
            return st;
        }
        out->step_count++;
    }
    return ST_OK;
}

static enum status fill_entry(struct guide_text *out, const struct guide_entry *e,
                              const struct guide_entry *cause, const struct finding *f,
                              unsigned flags)
{
    enum status st = fill_field(&out->title, e->title, f, flags);
    if (st == ST_OK) {
        st = fill_field(&out->means, e->means, f, flags);
    }
    if (st == ST_OK && cause != NULL) {
        st = fill_field(&out->means, cause->means, NULL, flags);
    }
    /* What is known of the refusal is nearer to the cause than what is known of the step. */
    if (st == ST_OK && cause != NULL) {
        st = fill_steps(out, cause, NULL, flags);
    }
    if (st == ST_OK) {
        st = fill_steps(out, e, f, flags);
    }
    const char *link = e->link != NULL || cause == NULL ? e->link : cause->link;
    if (st == ST_OK) {
        st = fill_field(&out->link, link, f, flags);
    }
    if (st != ST_OK) {
        guide_text_free(out);
    }
    return st;
}

enum status guide_finding(const struct guide *g, const struct finding *f, bool ascii,
                          struct guide_text *out)
{
    memset(out, 0, sizeof(*out));
    const struct guide_entry *e = guide_entry_find(g, f->kind->id);
    if (e == NULL) {
        return ST_INVALID;
    }
    const struct guide_entry *cause = NULL;
    if (f->cause != NULL && f->kind->by_cause) {
        cause = guide_entry_find(g, f->cause->id);
    }
    /* A look at the finding with its words in the guide's language; nothing in it is ours to free. */
    struct finding own = *f;
    for (size_t i = 0; i < own.arg_count && !g->english; i++) {
        if (own.args[i].word && own.args[i].value[0] != '\0') {
            own.args[i].value = _(own.args[i].value);
        }
    }
    return fill_entry(out, e, cause, &own, ascii ? ESCAPE_ASCII : 0);
}

enum status guide_cause(const struct guide *g, const struct reply_cause *cause,
                        struct guide_text *out)
{
    memset(out, 0, sizeof(*out));
    const struct guide_entry *e = guide_entry_find(g, cause->id);
    return e != NULL ? fill_entry(out, e, NULL, NULL, 0) : ST_INVALID;
}

void guide_basis_of(enum reply_basis basis, const struct reply_vendor *vendor,
                    enum confidence confidence, char *out, size_t size)
{
    const char *sure = confidence_word(confidence);
    out[0] = '\0';
    switch (basis) {
    case BASIS_WORDS:
        if (vendor != NULL) {
            snprintf(out, size, _("Explained by the words of the reply (%s); %s."), vendor->name,
                     sure);
        } else {
            snprintf(out, size, _("Explained by the words of the reply; %s."), sure);
        }
        break;
    case BASIS_ENHANCED:
        if (vendor != NULL) {
            snprintf(out, size, _("Explained by the enhanced code, as %s uses it; %s."),
                     vendor->name, sure);
        } else {
            snprintf(out, size, _("Explained by the enhanced code of the reply; %s."), sure);
        }
        break;
    case BASIS_CODE:
        snprintf(out, size, _("Explained by the code of the reply alone; %s."), sure);
        break;
    case BASIS_NONE:
        break;
    }
}

void guide_basis(const struct finding *f, char *out, size_t size)
{
    bool has = f->cause != NULL && f->kind->by_cause;
    guide_basis_of(has ? f->basis : BASIS_NONE, f->vendor, f->cause_confidence, out, size);
}

void guide_group_steps(const struct guide_step *steps, size_t count, size_t *order)
{
    size_t placed = 0;
    for (size_t i = 0; i < count; i++) {
        bool named = false;
        for (size_t k = 0; k < i; k++) {
            named = named || steps[k].who == steps[i].who;
        }
        for (size_t k = i; k < count && !named; k++) {
            if (steps[k].who == steps[i].who) {
                order[placed++] = k;
            }
        }
    }
}

enum status guide_check(const struct guide *g, const char *check_id, struct guide_text *out)
{
    memset(out, 0, sizeof(*out));
    char name[64] = "check ";
    const struct guide_entry *e = NULL;
    if (str_copy(name + 6, sizeof(name) - 6, check_id)) {
        e = guide_entry_find(g, name);
    }
    return e != NULL ? fill_entry(out, e, NULL, NULL, 0) : ST_INVALID;
}

/* The first that says something: a translation may leave it to the English guide. */
static const char *plain_text(const struct guide *g, const char *id, bool sign)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct guide_entry *e = guide_book_find(&g->books[i], id);
        const char *text = e == NULL ? NULL : sign ? e->sign : e->called;
        if (text != NULL) {
            return text;
        }
    }
    return "";
}

const char *guide_name(const struct guide *g, const char *id)
{
    return plain_text(g, id, false);
}

const char *guide_sign(const struct guide *g, const char *id)
{
    return plain_text(g, id, true);
}

void guide_text_free(struct guide_text *text)
{
    for (size_t i = 0; i < GUIDE_DO_MAX; i++) {
        free(text->steps[i].text);
    }
    free(text->title);
    free(text->means);
    free(text->link);
    memset(text, 0, sizeof(*text));
}

void guide_each(const struct guide *g, void (*entry)(void *ctx, const char *name), void *ctx)
{
    for (size_t i = 0; i < g->own; i++) {
        for (size_t k = 0; k < g->books[i].count; k++) {
            const char *name = g->books[i].entries[k].name;
            bool told = false;
            for (size_t before = 0; before < i; before++) {
                told = told || guide_book_find(&g->books[before], name) != NULL;
            }
            if (!told) {
                entry(ctx, name);
            }
        }
    }
}

bool guide_has(const struct guide *g, const char *entry)
{
    for (size_t i = 0; i < g->own; i++) {
        if (guide_book_find(&g->books[i], entry) != NULL) {
            return true;
        }
    }
    return false;
}
