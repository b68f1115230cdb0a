#include "lesson.h"

#include <stdlib.h>
#include <string.h>

#define WRONG_ONES (LESSON_CANDIDATES - 1)
#define NEAREST_ONES 2 /* wrong answers that are always there, */
#define POOL_MAX 7     /* and from how many of the check the others are drawn at most */
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* splitmix64 over FNV-1a of the name: no secret, only the same each time. */
static uint64_t seed_of(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static size_t draw(uint64_t *seed, size_t below)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ (z >> 31)) % below);
}

static void shuffle(const struct finding_kind **p, size_t count, uint64_t *seed)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = draw(seed, i);
        const struct finding_kind *held = p[i - 1];
        p[i - 1] = p[k];
        p[k] = held;
    }
}

/* "tls.starttls.refused" belongs to "tls.starttls". */
static bool same_check(const char *a, const char *b)
{
    size_t len = (size_t)(strrchr(a, '.') - a) + 1;
    return strncmp(a, b, len) == 0 && strchr(b + len, '.') == NULL;
}

struct near_kind {
    const struct finding_kind *kind;
    bool same; /* check */
    size_t away;
};

static int compare_near(const void *a, const void *b)
{
    const struct near_kind *x = a, *y = b;
    if (x->same != y->same) {
        return x->same ? -1 : 1;
    }
    if (x->away != y->away) {
        return x->away < y->away ? -1 : 1;
    }
    return x->kind < y->kind ? -1 : 1;
}

/* What is well is no cause, and what ended a step says nothing of the mail server. */
static bool can_be_wrong(const struct finding_kind *kind, char *const *ids, size_t id_count)
{
    bool is_true = false;
    for (size_t i = 0; i < id_count; i++) {
        is_true = is_true || strcmp(ids[i], kind->id) == 0;
    }
    return !is_true && kind->verdict > VERDICT_OK && strncmp(kind->id, "check.", 6) != 0;
}

/* The findings that stand for wrong answers, nearest first: in the table, those that resemble each
   other stand together. */
static size_t fill_pool(const struct finding_kind *cause, char *const *ids, size_t id_count,
                        struct near_kind *pool)
{
    size_t count = 0, of_check = 0, at = (size_t)(cause - finding_kinds);
    for (size_t i = 0; i < finding_kind_count; i++) {
        const struct finding_kind *kind = &finding_kinds[i];
        if (can_be_wrong(kind, ids, id_count)) {
            size_t away = i > at ? i - at : at - i;
            bool same = same_check(cause->id, kind->id);
            pool[count++] = (struct near_kind){kind, same, away};
            of_check += same ? 1 : 0;
        }
    }
    qsort(pool, count, sizeof(*pool), compare_near);
    size_t wanted = of_check < WRONG_ONES ? WRONG_ONES : of_check > POOL_MAX ? POOL_MAX : of_check;
    return count < wanted ? count : wanted;
}

bool lesson_ask(const char *scenario, char *const *ids, size_t id_count,
                struct lesson_question *out)
{
    memset(out, 0, sizeof(*out));
    const struct finding_kind *cause = id_count > 0 ? finding_find(ids[0]) : NULL;
    struct near_kind *pool = cause != NULL ? calloc(finding_kind_count, sizeof(*pool)) : NULL;
    if (pool == NULL) {
        return false;
    }
    uint64_t seed = seed_of(scenario);
    size_t count = fill_pool(cause, ids, id_count, pool);
    bool enough = count >= WRONG_ONES;
    for (size_t i = 0; enough && i < WRONG_ONES; i++) {
        size_t k = i < NEAREST_ONES ? i : i + draw(&seed, count - i);
        out->kinds[i] = pool[k].kind;
        pool[k] = pool[i];
    }
    free(pool);
    out->kinds[WRONG_ONES] = cause;
    shuffle(out->kinds, LESSON_CANDIDATES, &seed);
    while (out->kinds[out->right] != cause) {
        out->right++;
    }
    return enough;
}

void lesson_init(struct lesson *l, const char *scenario, char *const *ids, size_t id_count,
                 size_t hints, bool asks)
{
    memset(l, 0, sizeof(*l));
    bool can_ask = lesson_ask(scenario, ids, id_count, &l->question);
    l->phase = asks && can_ask ? LESSON_VEILED : LESSON_SHOWN;
    l->hints = hints;
}

bool lesson_veils(const struct lesson *l)
{
    return l->phase == LESSON_VEILED;
}

bool lesson_hint(struct lesson *l)
{
    bool more = l->hints_shown < l->hints;
    l->hints_shown += more ? 1 : 0;
    return more;
}

bool lesson_answer(struct lesson *l, size_t candidate)
{
    if (candidate == l->question.right) {
        l->phase = LESSON_SOLVED;
        return true;
    }
    if (candidate < LESSON_CANDIDATES && !l->tried[candidate]) {
        l->tried[candidate] = true;
        l->wrong++;
    }
    return false;
}

void lesson_give_up(struct lesson *l)
{
    l->phase = LESSON_GIVEN_UP;
}

bool lesson_is_solved(const struct lesson_progress *p, const char *name)
{
    size_t i = 0;
    while (i < p->count && strcmp(p->names[i], name) != 0) {
        i++;
    }
    return i < p->count;
}

static void add_name(struct lesson_progress *p, const char *name, size_t len)
{
    char copy[LESSON_NAME_MAX + 1];
    if (len == 0 || len > LESSON_NAME_MAX || p->count == LESSON_SOLVED_MAX) {
        return;
    }
    memcpy(copy, name, len);
    copy[len] = '\0';
    if (copy[strspn(copy, NAME_LETTERS)] == '\0' && strlen(copy) == len &&
        !lesson_is_solved(p, copy)) {
        memcpy(p->names[p->count++], copy, len + 1);
    }
}

void lesson_set_solved(struct lesson_progress *p, const char *name)
{
    add_name(p, name, strlen(name));
}

void lesson_progress_read(struct lesson_progress *p, const char *text, size_t len)
{
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end != NULL ? (size_t)(end - text) : len;
        add_name(p, text, line);
        line += end != NULL ? 1 : 0;
        text += line;
        len -= line;
    }
}

enum status lesson_progress_write(const struct lesson_progress *p, struct buf *out)
{
    enum status st = buf_add_str(out, "# Lessons of smtpscope that were solved, one a line.\n");
    for (size_t i = 0; st == ST_OK && i < p->count; i++) {
        st = buf_addf(out, "%s\n", p->names[i]);
    }
    return st;
}
