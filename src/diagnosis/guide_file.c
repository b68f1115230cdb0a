#include "guide_file.h"

#include <stdlib.h>
#include <string.h>

#include "fill.h"
#include "reply_decode.h"
#include "text.h"
#include "textfile.h"

struct reader {
    struct guide_book *book;
    struct guide_entry *entry; /* the last one of the book, or NULL before the first */
    const char *allowed;       /* names of placeholders that the entry may use */
    bool bare;                 /* in this field there are none */
    const char *file;
    unsigned line;
    char **field; /* the one that an indented line continues, or NULL */
    struct error *error;
};

static void entry_free(struct guide_entry *e)
{
    for (size_t i = 0; i < e->step_count; i++) {
        free(e->steps[i].text);
    }
    free(e->name);
    free(e->title);
    free(e->means);
    free(e->link);
    free(e->called);
    free(e->sign);
}

void guide_book_free(struct guide_book *book)
{
    for (size_t i = 0; i < book->count; i++) {
        entry_free(&book->entries[i]);
    }
    free(book->entries);
    memset(book, 0, sizeof(*book));
}

static int entry_compare(const void *a, const void *b)
{
    const struct guide_entry *x = a;
    const struct guide_entry *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

const struct guide_entry *guide_book_find(const struct guide_book *book, const char *name)
{
    size_t low = 0;
    size_t high = book->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, book->entries[middle].name);
        if (order == 0) {
            return &book->entries[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

static bool word_in_list(struct span word, const char *list)
{
    while (*list != '\0') {
        size_t n = strcspn(list, " ");
        if (n == word.len && memcmp(list, word.p, n) == 0) {
            return true;
        }
        list += n;
        list += strspn(list, " ");
    }
    return false;
}

static enum status check_placeholders(const struct reader *r, const char *text)
{
    if (r->bare && (strchr(text, '{') != NULL || strstr(text, "[[") != NULL)) {
        return error_set(r->error, ST_INVALID, 0,
                         _("%s:%u: expected a name or sign without { and [["), r->file, r->line);
    }
    for (const char *p = strchr(text, '{'); p != NULL; p = strchr(p, '{')) {
        if (p[1] == '{') {
            p += 2;
            continue;
        }
        struct span name;
        size_t len = fill_placeholder(p, &name);
        if (len == 0) {
            return error_set(r->error, ST_INVALID, 0,
                             _("%s:%u: expected {name}; a brace itself is written {{"), r->file,
                             r->line);
        }
        if (!word_in_list(name, r->allowed)) {
            return error_set(r->error, ST_INVALID, 0,
                             _("%s:%u: [%s] has no argument {%.*s}; it may use: %s"), r->file,
                             r->line, r->entry->name, (int)name.len, name.p,
                             r->allowed[0] != '\0' ? r->allowed : _("none"));
        }
        p += len;
    }
    return ST_OK;
}

static enum status out_of_memory(const struct reader *r)
{
    return error_set(r->error, ST_NOMEM, 0, _("%s:%u: not enough memory"), r->file, r->line);
}

/* Sets *field to `text`, or to what it was, a space, and `text`. */
static enum status field_add(struct reader *r, char **field, const char *text)
{
    enum status st = check_placeholders(r, text);
    if (st != ST_OK) {
        return st;
    }
    size_t had = *field != NULL ? strlen(*field) : 0;
    size_t at = had > 0 ? had + 1 : 0;
    size_t len = strlen(text);
    if (len > GUIDE_FIELD_MAX || at > GUIDE_FIELD_MAX - len) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: the text is over %u bytes"), r->file,
                         r->line, GUIDE_FIELD_MAX);
    }
    char *whole = realloc(*field, at + len + 1);
    if (whole == NULL) {
        return out_of_memory(r);
    }
    if (at > 0) {
        whole[had] = ' ';
    }
    memcpy(whole + at, text, len + 1);
    *field = whole;
    return ST_OK;
}

static enum status entry_check(const struct reader *r)
{
    const struct guide_entry *e = r->entry;
    if (e == NULL) {
        return ST_OK;
    }
    const char *missing = NULL;
    if (e->title == NULL || e->title[0] == '\0') {
        missing = "title:";
    } else if (e->means == NULL || e->means[0] == '\0') {
        missing = "means:";
    }
    bool match = fill_brackets_match(e->title) && fill_brackets_match(e->means);
    for (size_t i = 0; i < e->step_count && missing == NULL; i++) {
        missing = e->steps[i].text[0] == '\0' ? "do:" : NULL;
        match = match && fill_brackets_match(e->steps[i].text);
    }
    if (missing == NULL && !match) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected ]] for every [[ in [%s]"),
                         r->file, e->line, e->name);
    }
    if (missing != NULL) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected text after %s in [%s]"),
                         r->file, e->line, missing, e->name);
    }
    return ST_OK;
}

/* Which placeholders an entry may use; NULL for a name that is none. */
static const char *allowed_in(const char *name)
{
    if (strncmp(name, "check ", 6) == 0) {
        return name[6] != '\0' ? "" : NULL;
    }
    if (strncmp(name, "reply.", 6) == 0) {
        return reply_cause_find(name) != NULL ? "" : NULL;
    }
    const struct finding_kind *kind = finding_find(name);
    return kind != NULL ? kind->args : NULL;
}

static enum status entry_begin(struct reader *r, char *line)
{
    size_t len = strlen(line);
    if (line[len - 1] != ']') {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected ] at the end of the line"),
                         r->file, r->line);
    }
    enum status st = entry_check(r);
    if (st != ST_OK) {
        return st;
    }
    line[len - 1] = '\0';
    const char *name = line + 1;
    r->allowed = allowed_in(name);
    if (r->allowed == NULL) {
        return error_set(r->error, ST_INVALID, 0,
                         _("%s:%u: expected the name of a finding, check or cause, not [%s]"),
                         r->file, r->line, name);
    }
    struct guide_book *book = r->book;
    if (book->count == GUIDE_ENTRIES_MAX) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d entries"), r->file,
                         r->line, GUIDE_ENTRIES_MAX);
    }
    if (book->count == book->cap) {
        size_t cap = book->cap > 0 ? book->cap * 2 : 64;
        struct guide_entry *grown = realloc(book->entries, cap * sizeof(*grown));
        if (grown == NULL) {
            return out_of_memory(r);
        }
        book->entries = grown;
        book->cap = cap;
    }
    struct guide_entry *e = &book->entries[book->count];
    memset(e, 0, sizeof(*e));
    e->name = str_dup(name);
    if (e->name == NULL) {
        return out_of_memory(r);
    }
    e->line = r->line;
    book->count++;
    r->entry = e;
    r->field = NULL;
    return ST_OK;
}

bool guide_who(const char *word, size_t len, enum who *out)
{
    static const struct {
        const char *word;
        enum who who;
    } words[] = {
        {"client", WHO_CLIENT},           {"server", WHO_SERVER}, {"dns", WHO_DNS},
        {"network", WHO_NETWORK},         {"tool", WHO_TOOL},     {"any", WHO_NOBODY},
        {"third-party", WHO_THIRD_PARTY},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0) {
            *out = words[i].who;
            return true;
        }
    }
    return false;
}

static enum status unknown_line(const struct reader *r)
{
    return error_set(r->error, ST_INVALID, 0,
                     _("%s:%u: expected [name], title:, name:, sign:, means:, do <who>:, link:, # "
                       "or an indented line"),
                     r->file, r->line);
}

static enum status step_begin(struct reader *r, const char *word, size_t len)
{
    struct guide_entry *e = r->entry;
    enum who who;
    if (!guide_who(word, len, &who)) {
        return error_set(r->error, ST_INVALID, 0,
                         _("%s:%u: expected client, server, dns, network, third-party, tool or "
                           "any after do"),
                         r->file, r->line);
    }
    if (e->step_count == GUIDE_DO_MAX) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d steps in [%s]"), r->file,
                         r->line, GUIDE_DO_MAX, e->name);
    }
    struct guide_step *step = &e->steps[e->step_count];
    step->who = who;
    step->text = str_dup("");
    if (step->text == NULL) {
        return out_of_memory(r);
    }
    e->step_count++;
    r->field = &step->text;
    return ST_OK;
}

struct field_key {
    const char *word;
    char **field;
    bool bare;
};

static enum status field_begin(struct reader *r, const char *line)
{
    const char *colon = strchr(line, ':');
    struct guide_entry *e = r->entry;
    if (colon == NULL || e == NULL) {
        return unknown_line(r);
    }
    struct span key = {line, (size_t)(colon - line)};
    const struct field_key keys[] = {{"title", &e->title, false}, {"means", &e->means, false},
                                     {"link", &e->link, false},   {"name", &e->called, true},
                                     {"sign", &e->sign, true}};
    char **field = NULL;
    r->bare = false;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strlen(keys[i].word) == key.len && memcmp(keys[i].word, key.p, key.len) == 0) {
            field = keys[i].field;
            r->bare = keys[i].bare;
        }
    }
    bool step = key.len > 3 && memcmp(key.p, "do ", 3) == 0; /* may be there more than once */
    if (step) {
        enum status st = step_begin(r, key.p + 3, key.len - 3);
        if (st != ST_OK) {
            return st;
        }
        field = r->field;
    } else if (field == NULL) {
        return unknown_line(r);
    }
    if (!step && *field != NULL) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: %.*s: is there already in [%s]"),
                         r->file, r->line, (int)key.len, key.p, e->name);
    }
    r->field = field;
    const char *text = colon + 1;
    return field_add(r, field, text + strspn(text, " \t"));
}

static enum status line_read(struct reader *r, char *line)
{
    if (line[0] == '#') {
        return ST_OK;
    }
    if (line[strspn(line, " \t")] == '\0') {
        r->field = NULL;
        return ST_OK;
    }
    if (line[0] == '[') {
        return entry_begin(r, line);
    }
    if (line[0] == ' ' || line[0] == '\t') {
        if (r->field == NULL) {
            return error_set(r->error, ST_INVALID, 0,
                             _("%s:%u: expected a line before it that this one continues"), r->file,
                             r->line);
        }
        return field_add(r, r->field, line + strspn(line, " \t"));
    }
    return field_begin(r, line);
}

enum status guide_file_parse(struct guide_book *book, const char *file, const char *p, size_t len,
                             struct error *error)
{
    memset(book, 0, sizeof(*book));
    struct reader r = {.book = book, .file = file, .allowed = "", .error = error};
    struct textfile text = textfile_over(file, p, len);
    struct buf line;
    buf_init(&line, GUIDE_FIELD_MAX);
    enum status st;
    while ((st = textfile_line(&text, &line, error)) == ST_OK) {
        r.line = text.line;
        st = line_read(&r, line.p);
        if (st != ST_OK) {
            break;
        }
    }
    buf_free(&line);
    if (st == ST_EOF) {
        st = entry_check(&r);
    }
    if (st != ST_OK) {
        guide_book_free(book);
        return st;
    }
    if (book->count > 0) {
        qsort(book->entries, book->count, sizeof(*book->entries), entry_compare);
    }
    for (size_t i = 1; i < book->count && st == ST_OK; i++) {
        const struct guide_entry *e = &book->entries[i];
        if (strcmp(e[-1].name, e->name) == 0) {
            st = error_set(error, ST_INVALID, 0, _("%s:%u: [%s] is there already, line %u"), file,
                           e->line, e->name, e[-1].line);
        }
    }
    if (st != ST_OK) {
        guide_book_free(book);
    }
    return st;
}

enum status guide_file_read(struct guide_book *book, const char *path, struct span known,
                            struct error *error)
{
    memset(book, 0, sizeof(*book));
    struct buf text;
    bool there;
    buf_init(&text, GUIDE_FILE_MAX);
    enum status st = textfile_read(path, &text, &there, error);
    bool same = text.len > 0 && text.len == known.len && memcmp(text.p, known.p, text.len) == 0;
    if (st == ST_OK && there && !same) {
        st = guide_file_parse(book, path, buf_str(&text), text.len, error);
    }
    buf_free(&text);
    return st;
}
