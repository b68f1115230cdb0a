#include "tview_internal.h"

#include <limits.h>

/* Where the cursor is as long as it follows is the end, wherever that has moved to. */
static struct spot cursor_now(struct tview *v, const struct record *r)
{
    struct spot s = v->following || v->cursor.number == 0 ? tview_spot_last(v, r)
                                                          : tview_spot_fix(v, r, v->cursor);
    v->cursor = s;
    return s;
}

static void follow_stop(struct tview *v)
{
    if (v->following) {
        v->following = false;
        v->paused_at = v->seen;
        v->bottom = v->seen;
    }
}

void tview_follow(struct tview *v, const struct record *r, bool on)
{
    tview_update(v, r);
    v->cursor = cursor_now(v, r);
    if (on) {
        v->following = true;
        v->cursor = tview_spot_last(v, r);
    } else {
        follow_stop(v);
    }
}

void tview_move(struct tview *v, const struct record *r, int rows)
{
    tview_update(v, r);
    struct spot s = cursor_now(v, r);
    if (s.number == 0 || rows == 0) {
        return;
    }
    if (rows < 0) {
        if (v->following) {
            follow_stop(v);
        }
        tview_spot_back(v, r, &s, rows == INT_MIN ? INT_MAX : -rows);
        v->cursor = s;
        return;
    }
    int moved = tview_spot_forward(v, r, &s, rows);
    v->cursor = s;
    if (moved < rows || tview_spot_compare(s, tview_spot_last(v, r)) == 0) {
        v->following = true;
    }
}

void tview_first(struct tview *v, const struct record *r)
{
    tview_update(v, r);
    follow_stop(v);
    v->cursor = v->top = tview_spot_first(v, r);
}

void tview_last(struct tview *v, const struct record *r)
{
    tview_follow(v, r, true);
}

static void show_at(struct tview *v, const struct record *r, struct spot s)
{
    struct spot bottom = v->top;
    follow_stop(v);
    v->cursor = s;
    if (bottom.number != 0) {
        tview_spot_forward(v, r, &bottom, v->height - 1);
    }
    if (tview_spot_compare(s, v->top) < 0 || tview_spot_compare(s, bottom) > 0) {
        /* With a third of the pane above it, so that what led there is seen. */
        v->top = s;
        tview_spot_back(v, r, &v->top, v->height / 3);
    }
}

void tview_goto(struct tview *v, const struct record *r, uint32_t number)
{
    struct line line;
    if (number == 0) {
        return;
    }
    tview_update(v, r);
    if (tview_filtering(v) && lines_get(r->lines, number, &line)) {
        size_t i = tview_numbers_at(&v->match.passed, number);
        if (i == v->match.passed.count || v->match.passed.p[i] != number) {
            /* Whoever asks for this line wants to see it. */
            (void)!tview_filter(v, r, "", NULL);
        }
    }
    size_t at = tview_group_find(v, number);
    if (at < v->group_count) {
        v->groups[at].folded[tview_filtering(v)] = false;
    }
    struct spot s = tview_spot_fix(v, r, (struct spot){number, false, 0});
    if (s.number != 0) {
        show_at(v, r, s);
    }
}

void tview_step(struct tview *v, const struct record *r, int direction)
{
    tview_update(v, r);
    struct spot s = cursor_now(v, r);
    size_t at = tview_group_find(v, s.number);
    if (s.number == 0 || at == v->group_count) {
        return;
    }
    if (direction > 0 || s.head) {
        do {
            at = direction > 0 ? tview_group_next_visible(v, at) : tview_group_prev_visible(v, at);
        } while (at < v->group_count && v->groups[at].gap);
    }
    if (at == v->group_count) {
        return;
    }
    follow_stop(v);
    v->cursor = v->top = (struct spot){v->groups[at].first, true, 0};
}

void tview_problem(struct tview *v, const struct record *r, int direction)
{
    tview_update(v, r);
    uint32_t from = cursor_now(v, r).number;
    uint32_t best = 0;
    struct line line;
    for (size_t i = 0; i < r->finding_count; i++) {
        const struct finding *f = &r->findings[i].f;
        for (size_t k = 0; k < f->evidence_count; k++) {
            uint32_t n = f->evidence[k];
            bool beyond = direction > 0 ? n > from : n < from;
            bool nearer = best == 0 || (direction > 0 ? n < best : n > best);
            if (beyond && nearer && lines_get(r->lines, n, &line) &&
                (line.flags & LINE_PROBLEM) != 0) {
                best = n;
            }
        }
    }
    tview_goto(v, r, best);
}

/* The lists are complete up to match.indexed; what lies behind is looked through here. */
static uint32_t hit_after(struct tview *v, const struct record *r, uint32_t from)
{
    const struct numbers *hits = &v->match.hits;
    size_t at = tview_numbers_at(hits, from);
    while (at == hits->count && tview_busy(v, r)) {
        tview_match_index(v, r, INDEX_BUDGET);
        at = tview_numbers_at(hits, from);
    }
    return at < hits->count ? hits->p[at] : 0;
}

static uint32_t hit_before(struct tview *v, const struct record *r, uint32_t from)
{
    const struct numbers *hits = &v->match.hits;
    while (v->match.indexed < from && tview_busy(v, r)) {
        tview_match_index(v, r, INDEX_BUDGET);
    }
    size_t at = tview_numbers_at(hits, from == UINT32_MAX ? from : from + 1);
    return at > 0 ? hits->p[at - 1] : 0;
}

bool tview_find_next(struct tview *v, const struct record *r, int direction)
{
    tview_update(v, r);
    struct spot cursor = cursor_now(v, r);
    uint32_t at = cursor.number;
    uint32_t hit;
    if (direction > 0) {
        /* On a fold's own row its first line is still ahead. */
        bool here = v->match.fresh || cursor.head;
        hit = hit_after(v, r, here ? at : at + 1);
        if (hit == 0) {
            hit = hit_after(v, r, 1);
        }
    } else {
        hit = at > 1 ? hit_before(v, r, at - 1) : 0;
        if (hit == 0) {
            hit = hit_before(v, r, UINT32_MAX);
        }
    }
    v->match.fresh = false;
    if (hit == 0) {
        return false;
    }
    tview_goto(v, r, hit);
    return true;
}
