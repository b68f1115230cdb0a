#include <stdlib.h>
#include <string.h>

#include "replies_book.h"

/* Where the reader is. */
struct reader {
    struct book *b;
    struct error *error;
    unsigned line;
    bool in_vendor, in_cause; /* what indented lines belong to */
    struct reply_rule rule;   /* the last one: its words may go on in the next line */
    bool words_go_on;
    enum reply_mark_place place; /* so may marks */
    bool marks_go_on;
};

static const char *const stage_names[] = {
#define X(id, name) name,
    REPLY_STAGE_LIST(X)
#undef X
};

static const char *const confidence_names[] = {"guess", "likely", "certain"};
static const char *const place_names[] = {"text", "host", "banner"};

static enum status fault(const struct reader *r, const char *expected)
{
    return error_set(r->error, ST_INVALID, 0, "%s:%u: expected %s", r->b->file, r->line, expected);
}

static enum status fault_word(const struct reader *r, const char *expected, const char *word)
{
    return error_set(r->error, ST_INVALID, 0, "%s:%u: expected %s, not \"%.60s\"", r->b->file,
                     r->line, expected, word);
}

static enum status no_memory(const struct reader *r)
{
    return error_set(r->error, ST_NOMEM, 0, "%s:%u: not enough memory", r->b->file, r->line);
}

static int find_name(const char *const *names, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], word) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Cuts the next word off *rest. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " ");
    size_t len = strcspn(word, " ");
    *rest = word + len + (word[len] != '\0' ? 1 : 0);
    word[len] = '\0';
    return word;
}

static bool is_id(const char *word)
{
    size_t len = strlen(word);
    return len > 0 && len < BOOK_ID_MAX && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

/* The array with room for one more, zeroed; NULL at the limit or on no memory, and then it stays. */
static void *with_room(void *array, size_t count, size_t size, size_t max)
{
    if (count >= max) {
        return NULL;
    }
    if ((count & (count - 1)) == 0) {
        array = realloc(array, (count == 0 ? 1 : count * 2) * size);
    }
    if (array != NULL) {
        memset((char *)array + count * size, 0, size);
    }
    return array;
}

static enum status no_room(const struct reader *r, bool full, const char *expected)
{
    return full ? fault(r, expected) : no_memory(r);
}

static enum status begin_vendor(struct reader *r, const char *id)
{
    struct book *b = r->b;
    if (!is_id(id)) {
        return fault_word(r, "the id of a vendor in lower case", id);
    }
    for (size_t i = 0; i < b->vendor_count; i++) {
        if (strcmp(b->vendors[i].id, id) == 0) {
            return error_set(r->error, ST_INVALID, 0, "%s:%u: vendor %s is there already, line %u",
                             b->file, r->line, id, b->vendors[i].line);
        }
    }
    struct book_vendor *v = with_room(b->vendors, b->vendor_count, sizeof(*v), RULE_VENDORS_MAX);
    if (v == NULL) {
        return no_room(r, b->vendor_count == RULE_VENDORS_MAX, "at most 64 vendors");
    }
    b->vendors = v;
    v += b->vendor_count++;
    str_copy(v->id, sizeof(v->id), id);
    v->line = r->line;
    r->in_vendor = true;
    r->in_cause = false;
    return ST_OK;
}

static enum status begin_cause(struct reader *r, const char *id)
{
    struct book *b = r->b;
    if (!is_id(id)) {
        return fault_word(r, "the id of a cause in lower case", id);
    }
    for (size_t i = 0; i < b->cause_count; i++) {
        if (strcmp(b->causes[i].id, id) == 0) {
            return error_set(r->error, ST_INVALID, 0, "%s:%u: cause %s is there already, line %u",
                             b->file, r->line, id, b->causes[i].line);
        }
    }
    struct book_cause *c = with_room(b->causes, b->cause_count, sizeof(*c), BOOK_CAUSES_MAX);
    if (c == NULL) {
        return no_room(r, b->cause_count == BOOK_CAUSES_MAX, "fewer causes");
    }
    b->causes = c;
    c += b->cause_count++;
    str_copy(c->id, sizeof(c->id), id);
    c->line = r->line;
    r->in_cause = true;
    r->in_vendor = false;
    return ST_OK;
}

static bool is_host_suffix(const char *text)
{
    size_t len = strlen(text);
    return len > 2 && len < BOOK_TEXT_MAX && strchr(text, '.') != NULL && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

static enum status add_mark(struct reader *r, const char *text)
{
    struct book *b = r->b;
    const char *wrong = text;
    bool host = r->place == MARK_HOST;
    if (host ? !is_host_suffix(text) : !fold_pattern_check(text, &wrong)) {
        return fault_word(r, host ? "the end of a host name in lower case"
                                  : "words as folded text has them (reply_fold.h)",
                          wrong);
    }
    for (size_t i = 0; i < b->mark_count; i++) {
        if (b->marks[i].place == r->place && strcmp(b->marks[i].mark, text) == 0) {
            return error_set(r->error, ST_INVALID, 0, "%s:%u: \"%s\" is there already, line %u",
                             b->file, r->line, text, b->marks[i].line);
        }
    }
    struct book_mark *m = with_room(b->marks, b->mark_count, sizeof(*m), BOOK_MARKS_MAX);
    if (m == NULL) {
        return no_room(r, b->mark_count == BOOK_MARKS_MAX, "fewer marks");
    }
    b->marks = m;
    m += b->mark_count++;
    m->mark = str_dup(text);
    m->place = r->place;
    m->vendor = (unsigned)(b->vendor_count - 1);
    m->line = r->line;
    return m->mark != NULL ? ST_OK : no_memory(r);
}

static enum status add_rule(struct reader *r, const char *words)
{
    struct book *b = r->b;
    const char *wrong = words;
    if (words != NULL && !fold_pattern_check(words, &wrong)) {
        return fault_word(r, "words as folded text has them (reply_fold.h)", wrong);
    }
    struct book_rule *rule = with_room(b->rules, b->rule_count, sizeof(*rule), BOOK_RULES_MAX);
    if (rule == NULL) {
        return no_room(r, b->rule_count == BOOK_RULES_MAX, "fewer rules");
    }
    b->rules = rule;
    rule += b->rule_count++;
    rule->r = r->rule;
    rule->line = r->line;
    rule->r.basis = words != NULL                 ? BASIS_WORDS
                    : r->rule.enhanced_count > 0 ? BASIS_ENHANCED
                                                 : BASIS_CODE;
    if (words != NULL) {
        rule->words = str_dup(words);
        if (rule->words == NULL) {
            return no_memory(r);
        }
    }
    return ST_OK;
}

/* "a b | c": one call for each alternative. */
static enum status each_alternative(struct reader *r, char *text,
                                    enum status (*take)(struct reader *r, const char *text))
{
    for (;;) {
        size_t len = strcspn(text, "|");
        bool last = text[len] == '\0';
        char *next = text + len + 1;
        while (len > 0 && text[len - 1] == ' ') {
            len--;
        }
        text[len] = '\0';
        text += strspn(text, " ");
        if (*text == '\0') {
            return fault(r, "words between the bars");
        }
        enum status st = take(r, text);
        if (st != ST_OK || last) {
            return st;
        }
        text = next;
    }
}

static bool read_number(const char **p, unsigned max, unsigned *out)
{
    unsigned n = 0;
    size_t digits = 0;
    while (**p >= '0' && **p <= '9' && digits < 4) {
        n = n * 10 + (unsigned)(**p - '0');
        (*p)++;
        digits++;
    }
    *out = n;
    return digits > 0 && n <= max;
}

/* ".7.26", ".7.500-699", ".7." */
static bool read_enhanced(const char *text, struct reply_enhanced *out)
{
    unsigned subject, from, to;
    const char *p = text;
    if (*p++ != '.' || !read_number(&p, 999, &subject) || *p++ != '.') {
        return false;
    }
    from = 0;
    to = 999;
    if (*p != '\0') {
        if (!read_number(&p, 999, &from)) {
            return false;
        }
        to = from;
        if (*p == '-') {
            p++;
            if (!read_number(&p, 999, &to) || to <= from) {
                return false;
            }
        }
    }
    *out = (struct reply_enhanced){(uint16_t)subject, (uint16_t)from, (uint16_t)to};
    return *p == '\0';
}

static enum status add_condition(struct reader *r, const char *key, const char *value)
{
    struct reply_rule *rule = &r->rule;
    if (strcmp(key, "vendor") == 0) {
        for (size_t i = 0; i < r->b->vendor_count; i++) {
            if (strcmp(r->b->vendors[i].id, value) == 0) {
                rule->vendors |= UINT64_C(1) << i;
                return ST_OK;
            }
        }
        return fault_word(r, "a vendor that is described above", value);
    }
    if (strcmp(key, "stage") == 0) {
        int stage = find_name(stage_names, ARRAY_LEN(stage_names), value);
        if (stage <= STAGE_UNKNOWN) {
            return fault_word(r, "a stage (dns connect banner ehlo starttls tls auth mail rcpt data "
                                 "dot quit)",
                              value);
        }
        rule->stages = (uint16_t)(rule->stages | 1u << stage);
        return ST_OK;
    }
    if (strcmp(key, "code") == 0) {
        const char *p = value;
        unsigned code;
        bool read = read_number(&p, 599, &code) && *p == '\0';
        if (!read || code < 2 || (code > 5 && code < 200) || rule->code_count == RULE_CODES_MAX) {
            return fault_word(r, "up to 8 codes, as 550 or 5", value);
        }
        rule->codes[rule->code_count++] = (uint16_t)code;
        return ST_OK;
    }
    if (strcmp(key, "enhanced") == 0) {
        if (rule->enhanced_count == RULE_ENHANCED_MAX ||
            !read_enhanced(value, &rule->enhanced[rule->enhanced_count])) {
            return fault_word(r, "up to 6 enhanced codes, as .7.26 or .7.500-699 or .7.", value);
        }
        rule->enhanced_count++;
        return ST_OK;
    }
    return fault_word(r, "vendor=, stage=, code= or enhanced=", key);
}

/* "key=a,b" */
static enum status read_condition(struct reader *r, char *word)
{
    char *value = strchr(word, '=');
    if (value == NULL) {
        return fault_word(r, "vendor=, stage=, code= or enhanced=, or a colon before words", word);
    }
    *value++ = '\0';
    for (;;) {
        size_t len = strcspn(value, ",");
        bool last = value[len] == '\0';
        value[len] = '\0';
        enum status st = add_condition(r, word, value);
        if (st != ST_OK || last) {
            return st;
        }
        value += len + 1;
    }
}

/* The line behind "certain", "likely" or "guess". */
static enum status read_rule(struct reader *r, int confidence, char *rest, bool colon)
{
    memset(&r->rule, 0, sizeof(r->rule));
    r->rule.confidence = (uint8_t)confidence;
    r->rule.cause = (uint16_t)(r->b->cause_count - 1);
    char *words = colon ? rest : NULL;
    while (words == NULL && rest[strspn(rest, " ")] != '\0') {
        char *word = next_word(&rest);
        size_t len = strlen(word);
        if (word[len - 1] == ':') {
            word[len - 1] = '\0';
            words = rest;
        }
        enum status st = read_condition(r, word);
        if (st != ST_OK) {
            return st;
        }
    }
    r->words_go_on = words != NULL;
    if (words != NULL) {
        return each_alternative(r, words, add_rule);
    }
    if (r->rule.code_count == 0 && r->rule.enhanced_count == 0) {
        return fault(r, "words, an enhanced code or a code");
    }
    if (confidence == CONFIDENCE_CERTAIN && r->rule.vendors == 0) {
        return fault(r, "likely or guess: a code alone is never certain");
    }
    return add_rule(r, NULL);
}

static enum status read_in_vendor(struct reader *r, const char *key, char *rest)
{
    struct book_vendor *v = &r->b->vendors[r->b->vendor_count - 1];
    rest += strspn(rest, " ");
    if (strcmp(key, "name") == 0) {
        if (v->name[0] != '\0' || rest[0] == '\0' || !str_copy(v->name, sizeof(v->name), rest)) {
            return fault_word(r, "one short name", rest);
        }
        return ST_OK;
    }
    int place = find_name(place_names, ARRAY_LEN(place_names), key);
    if (place < 0) {
        return fault_word(r, "name, text, host or banner", key);
    }
    r->place = (enum reply_mark_place)place;
    r->marks_go_on = true;
    return each_alternative(r, rest, add_mark);
}

static enum status read_in_cause(struct reader *r, const char *key, char *rest)
{
    struct book_cause *c = &r->b->causes[r->b->cause_count - 1];
    rest += strspn(rest, " ");
    if (strcmp(key, "class") == 0) {
        size_t i = strcmp(rest, "none") == 0 ? 0 : 1;
        while (i > 0 && book_class_name(i) != NULL && strcmp(book_class_name(i), rest) != 0) {
            i++;
        }
        if (c->has_class || book_class_name(i) == NULL) {
            return fault_word(r, "one class of replies, or none", rest);
        }
        c->class = (enum reply_class)i;
        c->has_class = true;
        return ST_OK;
    }
    if (strcmp(key, "who") == 0) {
        if (c->has_who || !book_who_find(rest, &c->who)) {
            return fault_word(r, "one of nobody client server dns network third-party tool", rest);
        }
        c->has_who = true;
        return ST_OK;
    }
    if (strcmp(key, "reference") == 0) {
        if (c->reference[0] != '\0' || rest[0] == '\0' ||
            !str_copy(c->reference, sizeof(c->reference), rest)) {
            return fault_word(r, "one reference", rest);
        }
        return ST_OK;
    }
    char word[BOOK_ID_MAX];
    size_t len = strlen(key);
    bool colon = len > 0 && key[len - 1] == ':';
    if (!str_copy(word, sizeof(word), key)) {
        return fault_word(r, "a key", key);
    }
    if (colon) {
        word[len - 1] = '\0';
    }
    int confidence = find_name(confidence_names, ARRAY_LEN(confidence_names), word);
    if (confidence < 0) {
        return fault_word(r, "class, who, reference, certain, likely or guess", key);
    }
    return read_rule(r, confidence, rest, colon);
}

/* Nothing but printable ASCII and UTF-8. */
static bool is_clean(const char *p)
{
    for (; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum status read_line(struct reader *r, char *line)
{
    bool indented = line[0] == ' ';
    char *rest = line;
    if (!is_clean(line)) {
        return fault(r, "no tabs and no control characters");
    }
    char *start = line + strspn(line, " ");
    if (start[0] == '\0' || start[0] == '#') {
        return ST_OK;
    }
    if (indented && start[0] == '|') {
        if (r->words_go_on) {
            return each_alternative(r, start + 1, add_rule);
        }
        return r->marks_go_on ? each_alternative(r, start + 1, add_mark)
                              : fault(r, "words in the line before");
    }
    r->words_go_on = r->marks_go_on = false;
    char *key = next_word(&rest);
    if (!indented) {
        char *id = next_word(&rest);
        if (rest[strspn(rest, " ")] != '\0') {
            return fault_word(r, "nothing behind the id", rest);
        }
        if (strcmp(key, "vendor") == 0) {
            return begin_vendor(r, id);
        }
        return strcmp(key, "cause") == 0 ? begin_cause(r, id)
                                         : fault_word(r, "vendor, cause, or an indented line", key);
    }
    if (r->in_vendor) {
        return read_in_vendor(r, key, rest);
    }
    return r->in_cause ? read_in_cause(r, key, rest)
                       : fault(r, "vendor or cause before the first indented line");
}

enum status book_read(struct book *b, const char *file, const char *p, size_t len,
                      struct error *error)
{
    memset(b, 0, sizeof(*b));
    b->file = file;
    struct reader r = {.b = b, .error = error};
    while (len > 0) {
        char line[BOOK_LINE_MAX];
        const char *end = memchr(p, '\n', len);
        size_t whole = end != NULL ? (size_t)(end - p) + 1 : len;
        size_t n = end != NULL ? whole - 1 : whole;
        r.line++;
        while (n > 0 && p[n - 1] == ' ') {
            n--;
        }
        if (n >= sizeof(line) || memchr(p, '\0', n) != NULL) {
            return fault(&r, "a shorter line without NUL");
        }
        memcpy(line, p, n);
        line[n] = '\0';
        enum status st = read_line(&r, line);
        if (st != ST_OK) {
            return st;
        }
        p += whole;
        len -= whole;
    }
    return ST_OK;
}

void book_free(struct book *b)
{
    for (size_t i = 0; i < b->mark_count; i++) {
        free(b->marks[i].mark);
    }
    for (size_t i = 0; i < b->rule_count; i++) {
        free(b->rules[i].words);
    }
    free(b->vendors);
    free(b->marks);
    free(b->causes);
    free(b->rules);
    memset(b, 0, sizeof(*b));
}
