#include "reply_decode.h"

#include <string.h>

#include "reply_table.h"

#define BANNER_TEXT_MAX 512

/* The texts of a question as they are compared. */
struct folded {
    size_t len;
    struct fold_grams grams;
    char text[REPLY_DECODE_TEXT_MAX];
};

/* The conditions of a question, in the form of the rules'. */
struct asked {
    const struct folded *text;
    const struct reply_vendor *vendor;
    enum reply_stage stage;
    unsigned code, digit;     /* digit: of the code, else of the enhanced code; 0: unknown */
    unsigned subject, detail; /* of the enhanced code */
    bool enhanced;
};

static void fold(struct folded *f, struct span text, size_t most)
{
    f->len = fold_text(text, f->text, most);
    fold_grams(f->text, f->len, &f->grams);
}

const char *reply_stage_name(enum reply_stage stage)
{
    static const char *const names[] = {
#define X(id, name) name,
        REPLY_STAGE_LIST(X)
#undef X
    };
    size_t i = (size_t)stage;
    return i < ARRAY_LEN(names) ? names[i] : "";
}

enum reply_stage reply_stage_find(const char *name)
{
    static const struct {
        const char *name;
        enum reply_stage stage;
    } others[] = {{"helo", STAGE_EHLO},
                  {"ehlo2", STAGE_EHLO},
                  {"tcp", STAGE_CONNECT},
                  {"bdat", STAGE_DOT}};
    for (int i = STAGE_UNKNOWN + 1; reply_stage_name((enum reply_stage)i)[0] != '\0'; i++) {
        if (str_equal_nocase(reply_stage_name((enum reply_stage)i), name)) {
            return (enum reply_stage)i;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (str_equal_nocase(others[i].name, name)) {
            return others[i].stage;
        }
    }
    return STAGE_UNKNOWN;
}

const struct reply_vendor *reply_vendor_find(const char *id)
{
    for (size_t i = 0; i < reply_vendor_count; i++) {
        if (strcmp(reply_vendors[i].id, id) == 0) {
            return &reply_vendors[i];
        }
    }
    return NULL;
}

const struct reply_cause *reply_cause_find(const char *id)
{
    for (size_t i = 0; i < reply_cause_count; i++) {
        if (strcmp(reply_causes[i].id, id) == 0) {
            return &reply_causes[i];
        }
    }
    return NULL;
}

const struct reply_cause *reply_cause_of_class(enum reply_class class)
{
    return class > CLASS_NONE && class <= CLASS_NETWORK ? &reply_causes[reply_class_causes[class]]
                                                        : NULL;
}

enum who reply_class_who(enum reply_class class)
{
    const struct reply_cause *cause = reply_cause_of_class(class);
    return cause != NULL ? cause->who : WHO_NOBODY;
}

bool reply_class_about_client(enum reply_class class)
{
    switch (class) {
    case CLASS_MISSING_PTR:
    case CLASS_BLOCKED_ADDRESS:
    case CLASS_BAD_REPUTATION:
    case CLASS_RATE_LIMITED:
        return true;
    default:
        return false;
    }
}

static bool host_ends_with(const char *host, const char *suffix)
{
    size_t len = strlen(host);
    size_t end = strlen(suffix);
    /* A name may be written with its last dot. */
    len -= len > 0 && host[len - 1] == '.' ? 1 : 0;
    if (len < end || (len > end && host[len - end - 1] != '.')) {
        return false;
    }
    return span_equal_nocase((struct span){host + len - end, end}, suffix);
}

static const struct reply_vendor *vendor_of_host(const char *host)
{
    for (size_t i = 0; host != NULL && i < reply_mark_count; i++) {
        const struct reply_mark *m = &reply_marks[i];
        if (m->place == MARK_HOST && host_ends_with(host, m->mark)) {
            return &reply_vendors[m->vendor];
        }
    }
    return NULL;
}

static const struct reply_vendor *vendor_of_words(const struct folded *f,
                                                  enum reply_mark_place place)
{
    for (size_t i = 0; i < reply_mark_count; i++) {
        const struct reply_mark *m = &reply_marks[i];
        if (m->place == place && fold_has_grams(&f->grams, m->grams, m->gram_count) &&
            fold_match(f->text, f->len, m->mark)) {
            return &reply_vendors[m->vendor];
        }
    }
    return NULL;
}

/*
 * The words of the reply come from whoever wrote them, even where another server passed them on, so
 * marks in them go first. The name in DNS is chosen by the provider, the banner often by nobody.
 */
static const struct reply_vendor *vendor_of(const struct reply_question *q,
                                            const struct folded *text)
{
    const struct reply_vendor *vendor =
        q->vendor != NULL ? q->vendor : vendor_of_words(text, MARK_TEXT);
    vendor = vendor != NULL ? vendor : vendor_of_host(q->host);
    vendor = vendor != NULL ? vendor : vendor_of_host(q->ptr);
    const struct span greetings[] = {q->banner, q->ehlo};
    for (size_t i = 0; vendor == NULL && i < ARRAY_LEN(greetings); i++) {
        struct folded f;
        if (greetings[i].len > 0) {
            fold(&f, greetings[i], BANNER_TEXT_MAX);
            vendor = vendor_of_words(&f, MARK_BANNER);
        }
    }
    return vendor;
}

const struct reply_vendor *reply_vendor_of(const struct reply_question *question)
{
    struct folded text;
    fold(&text, question->text, sizeof(text.text));
    return vendor_of(question, &text);
}

static bool read_part(const char **p, unsigned *out)
{
    unsigned n = 0;
    const char *start = *p;
    while (**p >= '0' && **p <= '9' && *p - start < 3) {
        n = n * 10 + (unsigned)(**p - '0');
        (*p)++;
    }
    *out = n;
    return *p > start;
}

/* "5.7.26"; 5.0.0 says nothing and counts as none (RFC 3463 3.1). */
static void read_enhanced(const char *text, struct asked *a, unsigned *digit)
{
    *digit = 0;
    if (!read_part(&text, digit) || *text++ != '.' || !read_part(&text, &a->subject) ||
        *text++ != '.' || !read_part(&text, &a->detail)) {
        return;
    }
    a->enhanced = a->subject != 0 || a->detail != 0;
}

/* qmail and what came of it put the code behind the words: "sorry, ... (#5.7.1)". */
static void read_late_enhanced(struct span text, struct asked *a, unsigned *digit)
{
    char copy[16];
    const char *hash = memchr(text.p, '#', text.len);
    while (hash != NULL && !a->enhanced) {
        size_t rest = text.len - (size_t)(hash - text.p);
        size_t n = rest < sizeof(copy) ? rest : sizeof(copy);
        memcpy(copy, hash, n);
        copy[n - 1] = '\0';
        read_enhanced(copy + 1, a, digit);
        hash = memchr(hash + 1, '#', rest - 1);
    }
}

static bool code_fits(const struct reply_rule *r, const struct asked *a)
{
    /* What is no refusal has to be asked for by name. */
    if (r->code_count == 0) {
        return a->digit == 0 || a->digit >= 4;
    }
    for (size_t i = 0; i < r->code_count; i++) {
        if (r->codes[i] == a->code || (r->codes[i] < 10 && r->codes[i] == a->digit)) {
            return true;
        }
    }
    return false;
}

static bool enhanced_fits(const struct reply_rule *r, const struct asked *a)
{
    for (size_t i = 0; i < r->enhanced_count; i++) {
        const struct reply_enhanced *e = &r->enhanced[i];
        if (a->enhanced && e->subject == a->subject && a->detail >= e->from && a->detail <= e->to) {
            return true;
        }
    }
    return r->enhanced_count == 0;
}

static bool rule_fits(const struct reply_rule *r, const struct asked *a)
{
    uint64_t vendor = a->vendor != NULL ? UINT64_C(1) << (a->vendor - reply_vendors) : 0;
    if (r->vendors != 0 && (r->vendors & vendor) == 0) {
        return false;
    }
    if (r->stages != 0 && (r->stages >> a->stage & 1u) == 0) {
        return false;
    }
    if (!code_fits(r, a) || !enhanced_fits(r, a)) {
        return false;
    }
    return r->words == NULL || (fold_has_grams(&a->text->grams, r->grams, r->gram_count) &&
                                fold_match(a->text->text, a->text->len, r->words));
}

struct reply_verdict reply_decode(const struct reply_question *question)
{
    struct reply_verdict v = {0};
    struct folded text;
    unsigned digit = 0;
    struct asked a = {.text = &text,
                      .stage = question->stage,
                      .code = question->code > 0 ? (unsigned)question->code : 0};
    fold(&text, question->text, sizeof(text.text));
    if (question->enhanced != NULL && question->enhanced[0] != '\0') {
        read_enhanced(question->enhanced, &a, &digit);
    } else if (question->text.len > 0) {
        read_late_enhanced(question->text, &a, &digit);
    }
    a.vendor = v.vendor = vendor_of(question, &text);
    /* RFC 2034 4 wants the first digits to agree; where they do not, clients go by the basic code. */
    a.digit = a.code > 0 ? a.code / 100 : digit;
    v.digits_disagree = a.code > 0 && digit > 0 && a.digit != digit;
    for (size_t i = 0; i < reply_rule_count; i++) {
        const struct reply_rule *r = &reply_rules[i];
        if (rule_fits(r, &a)) {
            v.cause = &reply_causes[r->cause];
            v.confidence = (enum confidence)r->confidence;
            v.basis = (enum reply_basis)r->basis;
            v.vendor_spoke = r->vendors != 0;
            v.rule = r->line;
            break;
        }
    }
    return v;
}

void finding_explain(struct finding *f, const struct reply_verdict *verdict, bool decides)
{
    const struct reply_cause *cause = verdict->cause;
    f->class = cause != NULL ? cause->class : CLASS_NONE;
    f->cause = cause;
    f->basis = verdict->basis;
    f->cause_confidence = verdict->confidence;
    f->vendor = verdict->vendor_spoke ? verdict->vendor : NULL;
    if (cause == NULL || !decides) {
        return;
    }
    if (cause->who != WHO_NOBODY) {
        f->who = cause->who;
    }
    if (verdict->confidence < f->confidence) {
        f->confidence = verdict->confidence;
    }
}
