#include "tview_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* One call at the keyboard may take more: transcripts of common size are done at once. */
#define INDEX_FIRST 200000u
/* An expression costs as much as some lines of plain text. */
#define REGEX_COST 4

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void lower_copy(char *dst, const char *src, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        dst[i] = (char)lower(src[i]);
    }
    dst[len] = '\0';
}

size_t tview_numbers_at(const struct numbers *n, uint32_t number)
{
    size_t low = 0, high = n->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (n->p[mid] < number) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* Without memory the number is left out: a hit is missed, nothing else. */
static void numbers_add(struct numbers *n, uint32_t number)
{
    if (n->count == n->cap) {
        size_t cap = n->cap > 0 ? n->cap + n->cap / 2 : 256;
        uint32_t *p = realloc(n->p, cap * sizeof(*p));
        if (p == NULL) {
            return;
        }
        n->p = p;
        n->cap = cap;
    }
    n->p[n->count++] = number;
}

static void numbers_forget(struct numbers *n, uint32_t start, uint32_t end)
{
    size_t a = tview_numbers_at(n, start);
    size_t b = tview_numbers_at(n, end);
    if (a < b) {
        memmove(n->p + a, n->p + b, (n->count - b) * sizeof(*n->p));
        n->count -= b - a;
    }
}

void tview_match_restart(struct tview *v)
{
    v->match.passed.count = v->match.hits.count = 0;
    v->match.indexed = 0;
    v->match.problems = 0;
}

void tview_match_forget(struct tview *v, uint32_t gap_start, uint32_t gap_end)
{
    numbers_forget(&v->match.passed, gap_start, gap_end);
    numbers_forget(&v->match.hits, gap_start, gap_end);
    if (v->match.indexed >= gap_start && v->match.indexed < gap_end) {
        v->match.indexed = gap_end - 1;
    }
}

static void find_clear(struct match *m)
{
    if (m->regex) {
        regfree(&m->expression);
    }
    m->regex = false;
    m->find_text[0] = m->needle[0] = '\0';
}

void tview_match_free(struct match *m)
{
    find_clear(m);
    free(m->passed.p);
    free(m->hits.p);
    buf_wipe(&m->scratch);
}

static bool finding(const struct match *m)
{
    return m->regex || m->needle[0] != '\0';
}

/* `word` is lower case and not empty. Returns len when there is no hit. */
static size_t find_word(const char *p, size_t len, size_t from, const char *word, size_t word_len)
{
    for (size_t i = from; i + word_len <= len; i++) {
        size_t k = 0;
        while (k < word_len && lower(p[i + k]) == (unsigned char)word[k]) {
            k++;
        }
        if (k == word_len) {
            return i;
        }
    }
    return len;
}

/* regexec wants a string: a NUL of the server's becomes a blank, so that offsets stay. */
static bool match_expression(struct match *m, const char *p, size_t len, size_t from, size_t *begin,
                             size_t *end)
{
    buf_clear(&m->scratch);
    if (from > len || buf_add(&m->scratch, p + from, len - from) != ST_OK) {
        return false;
    }
    for (size_t i = 0; i < m->scratch.len; i++) {
        if (m->scratch.p[i] == '\0') {
            m->scratch.p[i] = ' ';
        }
    }
    regmatch_t hit;
    if (regexec(&m->expression, buf_str(&m->scratch), 1, &hit, from > 0 ? REG_NOTBOL : 0) != 0) {
        return false;
    }
    *begin = from + (size_t)hit.rm_so;
    *end = from + (size_t)hit.rm_eo;
    return true;
}

bool tview_match_text(struct match *m, const char *p, size_t len, size_t from, size_t *begin,
                      size_t *end)
{
    if (m->regex) {
        return match_expression(m, p, len, from, begin, end);
    }
    size_t word_len = strlen(m->needle);
    if (word_len == 0) {
        return false;
    }
    *begin = find_word(p, len, from, m->needle, word_len);
    *end = *begin + word_len;
    return *begin < len;
}

static bool line_has_code(const struct line *line, const char *code)
{
    if (line->dir != DIR_SERVER || line->len < strlen(code)) {
        return false;
    }
    for (size_t i = 0; code[i] != '\0'; i++) {
        char c = line->text[i];
        if (c < '0' || c > '9' || (code[i] != 'x' && code[i] != c)) {
            return false;
        }
    }
    return true;
}

static bool term_passes(const struct term *t, const struct line *line)
{
    switch (t->kind) {
    case TERM_DIR:
        return line->dir == t->value;
    case TERM_TLS:
        return line->tls == (t->value != 0);
    case TERM_STEP:
        return line->check == t->value;
    case TERM_CODE:
        return line_has_code(line, t->word);
    case TERM_PROBLEM:
        return (line->flags & LINE_PROBLEM) != 0;
    default:
        return find_word(line->text, line->len, 0, t->word, strlen(t->word)) < line->len;
    }
}

static bool line_passes(const struct match *m, const struct line *line)
{
    for (size_t i = 0; i < m->term_count; i++) {
        if (!term_passes(&m->terms[i], line)) {
            return false;
        }
    }
    return true;
}

/* True when the line is shown or hit. */
static bool index_line(struct match *m, const struct line *line)
{
    size_t begin, end;
    if (!line_passes(m, line)) {
        return false;
    }
    if (m->term_count > 0) {
        numbers_add(&m->passed, line->number);
    }
    bool hit = finding(m) && tview_match_text(m, line->text, line->len, 0, &begin, &end);
    if (hit) {
        numbers_add(&m->hits, line->number);
    }
    return hit || m->term_count > 0;
}

/* A step is judged after its lines came, so lines become problems later. */
static uint64_t known_problems(const struct record *r)
{
    uint64_t sum = 0;
    struct line line;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = &r->findings[i].f;
        for (size_t k = 0; k < f->evidence_count; k++) {
            if (lines_get(r->lines, f->evidence[k], &line) && (line.flags & LINE_PROBLEM) != 0) {
                sum += (uint64_t)line.number * UINT64_C(0x9e3779b97f4a7c15) + 1;
            }
        }
    }
    return sum;
}

static bool has_problem_term(const struct term *terms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (terms[i].kind == TERM_PROBLEM) {
            return true;
        }
    }
    return false;
}

static bool filters_problems(const struct match *m)
{
    return has_problem_term(m->terms, m->term_count);
}

/* A word without which no line counts; NULL when there is none. */
static const char *must_hold(const struct match *m)
{
    for (size_t i = 0; i < m->term_count; i++) {
        if (m->terms[i].kind == TERM_WORD) {
            return m->terms[i].word;
        }
    }
    return m->term_count == 0 && !m->regex ? m->needle : NULL;
}

void tview_match_index(struct tview *v, const struct record *r, uint32_t budget)
{
    struct match *m = &v->match;
    uint32_t last = v->seen;
    if (m->term_count == 0 && !finding(m)) {
        return;
    }
    if (filters_problems(m)) {
        uint64_t problems = known_problems(r);
        if (problems != m->problems) {
            tview_match_restart(v);
            m->problems = problems;
        }
    }
    if (m->indexed == 0 && lines_first(r->lines) > 1) {
        m->indexed = lines_first(r->lines) - 1;
    }
    const char *word = must_hold(m);
    bool likely = false; /* hits often stand together, as the lines of one reply do */
    budget = m->regex ? budget / REGEX_COST : budget;
    while (m->indexed < last && budget-- > 0) {
        uint32_t n = m->indexed + 1;
        if (word != NULL && !likely) {
            /* The store searches its blocks whole, many times faster than line by line. */
            n = lines_search(r->lines, n, false, word);
        } else if (v->gap_end != 0 && n >= v->gap_start && n < v->gap_end) {
            n = v->gap_end;
        }
        if (n == 0 || n > last) {
            m->indexed = last;
            return;
        }
        struct line line;
        likely = lines_get(r->lines, n, &line) && index_line(m, &line);
        m->indexed = n;
    }
}

bool tview_busy(const struct tview *v, const struct record *r)
{
    (void)r;
    const struct match *m = &v->match;
    return (m->term_count > 0 || finding(m)) && m->indexed < v->seen;
}

enum status tview_find(struct tview *v, const struct record *r, const char *what,
                       struct error *error)
{
    struct match *m = &v->match;
    const char *expression = NULL;
    if (strlen(what) >= FIND_TEXT_MAX) {
        return error_set(error, ST_INVALID, 0, _("The text to find is longer than %d bytes."),
                         FIND_TEXT_MAX - 1);
    }
    if (strncmp(what, "/re:", 4) == 0) {
        expression = what + 4;
    } else if (strncmp(what, "re:", 3) == 0) {
        expression = what + 3;
    }
    regex_t compiled;
    if (expression != NULL && *expression != '\0') {
        int rc = regcomp(&compiled, expression, REG_EXTENDED | REG_ICASE);
        if (rc != 0) {
            char reason[120];
            regerror(rc, &compiled, reason, sizeof(reason));
            return error_set(error, ST_INVALID, 0, _("The expression is not understood: %s."),
                             reason);
        }
    }
    find_clear(m);
    if (expression != NULL) {
        m->regex = *expression != '\0';
        if (m->regex) {
            m->expression = compiled;
        }
    } else {
        lower_copy(m->needle, what, strlen(what));
    }
    if (finding(m)) {
        str_copy(m->find_text, sizeof(m->find_text), what);
    }
    m->fresh = true;
    tview_match_restart(v);
    tview_match_index(v, r, INDEX_FIRST);
    return ST_OK;
}

void tview_veil(struct tview *v, const struct record *r, bool veiled)
{
    struct error error = {0};
    v->veiled = veiled;
    if (veiled && filters_problems(&v->match)) {
        (void)!tview_filter(v, r, "", &error);
    }
}

const char *tview_find_text(const struct tview *v)
{
    return v->match.find_text;
}

void tview_find_counts(const struct tview *v, const struct record *r, uint32_t *at, uint32_t *total)
{
    (void)r;
    const struct numbers *hits = &v->match.hits;
    *at = (uint32_t)tview_numbers_at(hits, tview_cursor(v) + 1);
    *total = (uint32_t)hits->count;
}

const char *tview_filter_text(const struct tview *v)
{
    return v->match.filter_text;
}

static bool term_choice(const char *value, size_t len, const char *const *words, unsigned *out)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        struct span given = {value, len};
        if (span_equal_nocase(given, words[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum status term_step(struct term *t, const char *value, size_t len, struct error *error)
{
    char key[64] = "";
    if (len < sizeof(key)) {
        lower_copy(key, value, len);
    }
    const struct check *check = key[0] != '\0' ? check_find(key) : NULL;
    char *end = NULL;
    unsigned long number = strtoul(key, &end, 10);
    if (check == NULL && isdigit((unsigned char)key[0]) && *end == '\0' && number >= 1 &&
        number <= CHECK_COUNT) {
        check = &checks[number - 1];
    }
    if (check == NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("After step: comes a number from 1 to %d, or a name like smtp.ehlo."),
                         (int)CHECK_COUNT);
    }
    t->value = (unsigned)check->id;
    return ST_OK;
}

static enum status term_code(struct term *t, const char *value, size_t len, struct error *error)
{
    bool ok = len >= 1 && len <= 3;
    for (size_t i = 0; ok && i < len; i++) {
        ok = isdigit((unsigned char)value[i]) || value[i] == 'x' || value[i] == 'X';
    }
    if (!ok) {
        return error_set(
            error, ST_INVALID, 0,
            _("After code: comes a reply code like 550, or 4xx for all that begin with 4."));
    }
    lower_copy(t->word, value, len);
    return ST_OK;
}

static enum status term_read(struct term *t, const char *p, size_t len, struct error *error)
{
    static const char *const directions[] = {"c", "s", "note", "tls", NULL};
    static const char *const answers[] = {"no", "yes", NULL};
    static const struct {
        const char *prefix;
        enum term_kind kind;
    } kinds[] = {
        {"dir:", TERM_DIR}, {"tls:", TERM_TLS}, {"step:", TERM_STEP}, {"code:", TERM_CODE}};
    struct span word = {p, len};
    if (span_equal_nocase(word, "problem")) {
        t->kind = TERM_PROBLEM;
        return ST_OK;
    }
    t->kind = TERM_WORD;
    const char *value = p;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].prefix);
        struct span head = {p, n};
        if (len >= n && span_equal_nocase(head, kinds[i].prefix)) {
            t->kind = kinds[i].kind;
            value = p + n;
            len -= n;
            break;
        }
    }
    switch (t->kind) {
    case TERM_DIR:
        return term_choice(value, len, directions, &t->value)
                   ? ST_OK
                   : error_set(error, ST_INVALID, 0,
                               _("After dir: comes c (client), s (server), note or tls."));
    case TERM_TLS:
        return term_choice(value, len, answers, &t->value)
                   ? ST_OK
                   : error_set(error, ST_INVALID, 0, _("After tls: comes yes or no."));
    case TERM_STEP:
        return term_step(t, value, len, error);
    case TERM_CODE:
        return term_code(t, value, len, error);
    default:
        lower_copy(t->word, value, len);
        return ST_OK;
    }
}

static enum status filter_read(const char *what, struct term *terms, size_t *count,
                               struct error *error)
{
    *count = 0;
    for (const char *p = what + strspn(what, " "); *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if (*count == FILTER_TERMS_MAX) {
            return error_set(error, ST_INVALID, 0, _("A filter takes at most %d words."),
                             FILTER_TERMS_MAX);
        }
        enum status st = term_read(&terms[*count], p, len, error);
        if (st != ST_OK) {
            return st;
        }
        (*count)++;
        p += len;
    }
    return ST_OK;
}

enum status tview_filter(struct tview *v, const struct record *r, const char *what,
                         struct error *error)
{
    struct match *m = &v->match;
    struct term terms[FILTER_TERMS_MAX];
    size_t count = 0;
    if (strlen(what) >= FIND_TEXT_MAX) {
        return error_set(error, ST_INVALID, 0, _("The filter is longer than %d bytes."),
                         FIND_TEXT_MAX - 1);
    }
    memset(terms, 0, sizeof(terms));
    enum status st = filter_read(what, terms, &count, error);
    if (st == ST_OK && v->veiled && has_problem_term(terms, count)) {
        st = error_set(error, ST_INVALID, 0, "%s",
                       _("In a lesson, finding the line is up to you. L gives hints."));
    }
    if (st != ST_OK) {
        return st;
    }
    memcpy(m->terms, terms, sizeof(terms));
    m->term_count = count;
    str_copy(m->filter_text, sizeof(m->filter_text), count > 0 ? what : "");
    for (size_t i = 0; count > 0 && i < v->group_count; i++) {
        v->groups[i].folded[true] = false;
    }
    tview_match_restart(v);
    tview_match_index(v, r, INDEX_FIRST);
    return ST_OK;
}
