#include "tview_internal.h"

/* With a filter a fold without a line that passes is not there, and neither is a gap. */
static bool group_visible(const struct tview *v, const struct group *g)
{
    if (!tview_filtering(v)) {
        return true;
    }
    const struct numbers *passed = &v->match.passed;
    size_t at = tview_numbers_at(passed, g->first);
    return at < passed->count && passed->p[at] <= g->last;
}

size_t tview_group_next_visible(const struct tview *v, size_t g)
{
    if (!tview_filtering(v)) {
        return g + 1;
    }
    const struct numbers *passed = &v->match.passed;
    size_t at = tview_numbers_at(passed, v->groups[g].last + 1);
    return at < passed->count ? tview_group_find(v, passed->p[at]) : v->group_count;
}

size_t tview_group_prev_visible(const struct tview *v, size_t g)
{
    if (!tview_filtering(v)) {
        return g > 0 ? g - 1 : v->group_count;
    }
    const struct numbers *passed = &v->match.passed;
    size_t at = tview_numbers_at(passed, v->groups[g].first);
    return at > 0 ? tview_group_find(v, passed->p[at - 1]) : v->group_count;
}

/* The line of the group at or after `number`; 0: none. */
static uint32_t line_from(const struct tview *v, const struct record *r, const struct group *g,
                          uint32_t number)
{
    if (tview_filtering(v)) {
        const struct numbers *passed = &v->match.passed;
        size_t at = tview_numbers_at(passed, number);
        return at < passed->count && passed->p[at] <= g->last ? passed->p[at] : 0;
    }
    struct line line;
    for (uint32_t n = number; n <= g->last; n++) {
        if (lines_get(r->lines, n, &line)) {
            return n;
        }
    }
    return 0;
}

/* The line of the group at or before `number`; 0: none. */
static uint32_t line_to(const struct tview *v, const struct record *r, const struct group *g,
                        uint32_t number)
{
    if (tview_filtering(v)) {
        const struct numbers *passed = &v->match.passed;
        size_t at = tview_numbers_at(passed, number + 1);
        return at > 0 && passed->p[at - 1] >= g->first ? passed->p[at - 1] : 0;
    }
    struct line line;
    for (uint32_t n = number; n >= g->first && n > 0; n--) {
        if (lines_get(r->lines, n, &line)) {
            return n;
        }
    }
    return 0;
}

static unsigned spot_parts(struct tview *v, const struct record *r, struct spot s)
{
    struct line line;
    return !s.head && lines_get(r->lines, s.number, &line) ? tview_shown_parts(v, r, &line) : 1;
}

static struct spot head_of(const struct group *g)
{
    return (struct spot){g->first, true, 0};
}

int tview_spot_compare(struct spot a, struct spot b)
{
    if (a.number != b.number) {
        return a.number < b.number ? -1 : 1;
    }
    if (a.head != b.head) {
        return a.head ? -1 : 1;
    }
    return a.part != b.part ? (a.part < b.part ? -1 : 1) : 0;
}

bool tview_spot_next_item(struct tview *v, const struct record *r, struct spot *s)
{
    size_t at = tview_group_find(v, s->number);
    if (s->number == 0 || at == v->group_count) {
        return false;
    }
    const struct group *g = &v->groups[at];
    if (tview_group_open(v, g)) {
        uint32_t next = line_from(v, r, g, s->head ? g->first : s->number + 1);
        if (next != 0) {
            *s = (struct spot){next, false, 0};
            return true;
        }
    }
    at = tview_group_next_visible(v, at);
    if (at == v->group_count) {
        return false;
    }
    *s = head_of(&v->groups[at]);
    return true;
}

/* The fold or line before, at its last row. */
static bool spot_prev_item(struct tview *v, const struct record *r, struct spot *s)
{
    size_t at = tview_group_find(v, s->number);
    if (s->number == 0 || at == v->group_count) {
        return false;
    }
    const struct group *g = &v->groups[at];
    uint32_t before = 0;
    if (!s->head) {
        before = s->number > g->first ? line_to(v, r, g, s->number - 1) : 0;
        if (before == 0) {
            *s = head_of(g);
            return true;
        }
    } else {
        at = tview_group_prev_visible(v, at);
        if (at == v->group_count) {
            return false;
        }
        g = &v->groups[at];
        before = tview_group_open(v, g) ? line_to(v, r, g, g->last) : 0;
        if (before == 0) {
            *s = head_of(g);
            return true;
        }
    }
    *s = (struct spot){before, false, 0};
    s->part = spot_parts(v, r, *s) - 1;
    return true;
}

struct spot tview_spot_fix(struct tview *v, const struct record *r, struct spot s)
{
    struct spot none = {0, false, 0};
    if (v->group_count == 0 || s.number == 0) {
        return none;
    }
    size_t at = tview_group_find(v, s.number);
    if (at == v->group_count) {
        at--;
    }
    if (!group_visible(v, &v->groups[at])) {
        size_t next = tview_group_next_visible(v, at);
        at = next < v->group_count ? next : tview_group_prev_visible(v, at);
        if (at == v->group_count) {
            return none;
        }
    }
    const struct group *g = &v->groups[at];
    if (s.head || !tview_group_open(v, g)) {
        return head_of(g);
    }
    uint32_t number = s.number < g->first ? g->first : s.number > g->last ? g->last : s.number;
    uint32_t found = line_from(v, r, g, number);
    if (found == 0) {
        found = line_to(v, r, g, number);
    }
    if (found == 0) {
        return head_of(g);
    }
    struct spot fixed = {found, false, found == s.number ? s.part : 0};
    if (fixed.part > 0) {
        unsigned parts = spot_parts(v, r, fixed);
        fixed.part = fixed.part < parts ? fixed.part : parts - 1;
    }
    return fixed;
}

struct spot tview_spot_first(struct tview *v, const struct record *r)
{
    if (v->group_count == 0) {
        return (struct spot){0, false, 0};
    }
    return tview_spot_fix(v, r, head_of(&v->groups[0]));
}

struct spot tview_spot_last(struct tview *v, const struct record *r)
{
    struct spot none = {0, false, 0};
    if (v->group_count == 0) {
        return none;
    }
    size_t at = v->group_count - 1;
    if (!group_visible(v, &v->groups[at])) {
        at = tview_group_prev_visible(v, at);
        if (at == v->group_count) {
            return none;
        }
    }
    const struct group *g = &v->groups[at];
    uint32_t number = tview_group_open(v, g) ? line_to(v, r, g, g->last) : 0;
    if (number == 0) {
        return head_of(g);
    }
    struct spot s = {number, false, 0};
    s.part = spot_parts(v, r, s) - 1;
    return s;
}

int tview_spot_forward(struct tview *v, const struct record *r, struct spot *s, int rows)
{
    int moved = 0;
    while (moved < rows) {
        int left = (int)(spot_parts(v, r, *s) - 1 - s->part);
        if (left >= rows - moved) {
            s->part += (unsigned)(rows - moved);
            return rows;
        }
        struct spot next = *s;
        if (!tview_spot_next_item(v, r, &next)) {
            s->part += (unsigned)left;
            return moved + left;
        }
        moved += left + 1;
        *s = next;
    }
    return moved;
}

int tview_spot_back(struct tview *v, const struct record *r, struct spot *s, int rows)
{
    int moved = 0;
    while (moved < rows) {
        if (s->part >= (unsigned)(rows - moved)) {
            s->part -= (unsigned)(rows - moved);
            return rows;
        }
        struct spot before = *s;
        int above = (int)s->part;
        if (!spot_prev_item(v, r, &before)) {
            s->part = 0;
            return moved + above;
        }
        moved += above + 1;
        *s = before;
    }
    return moved;
}
