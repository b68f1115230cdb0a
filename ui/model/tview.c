#include "tview.h"

#include <stdlib.h>
#include <string.h>

#include "tview_internal.h"

enum status tview_new(struct tview **out)
{
    struct tview *v = calloc(1, sizeof(*v));
    *out = v;
    if (v == NULL) {
        return ST_NOMEM;
    }
    v->wrap = true;
    v->width = 80;
    v->height = 24;
    buf_init(&v->shown, SHOWN_MAX);
    buf_init(&v->match.scratch, LINE_KEPT_MAX + 1);
    tview_reset(v);
    return ST_OK;
}

void tview_free(struct tview *v)
{
    if (v == NULL) {
        return;
    }
    tview_match_free(&v->match);
    buf_free(&v->shown);
    free(v->groups);
    free(v->rows);
    free(v);
}

void tview_reset(struct tview *v)
{
    v->group_count = 0;
    v->run = v->seen = 0;
    v->gap_start = v->gap_end = 0;
    v->top = v->cursor = (struct spot){0, false, 0};
    v->following = true;
    v->paused_at = v->bottom = 0;
    v->column = 0;
    tview_match_restart(v);
}

bool tview_filtering(const struct tview *v)
{
    return v->match.term_count > 0;
}

size_t tview_group_find(const struct tview *v, uint32_t number)
{
    size_t low = 0, high = v->group_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v->groups[mid].last < number) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

bool tview_group_open(const struct tview *v, const struct group *g)
{
    return !g->gap && !g->folded[tview_filtering(v)];
}

static bool groups_reserve(struct tview *v, size_t count)
{
    if (count <= v->group_cap) {
        return true;
    }
    size_t cap = v->group_cap > 0 ? v->group_cap * 2 : 64;
    cap = cap < count ? count : cap;
    struct group *groups = realloc(v->groups, cap * sizeof(*groups));
    if (groups == NULL) {
        return false;
    }
    v->groups = groups;
    v->group_cap = cap;
    return true;
}

static void groups_add(struct tview *v, const struct line *line)
{
    bool manual = (line->flags & LINE_MANUAL) != 0;
    struct group *last = v->group_count > 0 ? &v->groups[v->group_count - 1] : NULL;
    bool same = last != NULL && !last->gap && last->check == line->check && last->manual == manual;
    if (!same && groups_reserve(v, v->group_count + 1)) {
        v->groups[v->group_count++] = (struct group){.first = line->number,
                                                     .last = line->number,
                                                     .count = 1,
                                                     .check = line->check,
                                                     .manual = manual};
        return;
    }
    /* Without memory for another fold the line goes into the last one rather than nowhere. */
    if (v->group_count > 0) {
        v->groups[v->group_count - 1].last = line->number;
        v->groups[v->group_count - 1].count++;
    }
}

static void gap_put(struct tview *v, uint32_t start, uint32_t end)
{
    if (!groups_reserve(v, v->group_count + 2)) {
        return;
    }
    size_t a = tview_group_find(v, start);
    size_t b = tview_group_find(v, end);
    struct group put[3];
    size_t count = 0;
    if (a < v->group_count && !v->groups[a].gap && v->groups[a].first < start) {
        put[count] = v->groups[a];
        put[count].last = start - 1;
        put[count].count = start - put[count].first;
        count++;
    }
    put[count++] = (struct group){
        .first = start, .last = end - 1, .count = end - start, .check = CHECK_NONE, .gap = true};
    size_t after = b;
    if (b < v->group_count && v->groups[b].first < end) {
        put[count] = v->groups[b];
        put[count].first = end;
        put[count].count = put[count].last - end + 1;
        count++;
        after = b + 1;
    }
    memmove(v->groups + a + count, v->groups + after,
            (v->group_count - after) * sizeof(*v->groups));
    memcpy(v->groups + a, put, count * sizeof(*put));
    v->group_count = v->group_count - (after - a) + count;
}

static void gap_update(struct tview *v, const struct record *r)
{
    uint32_t start = 0;
    uint32_t end = lines_gap_end(r->lines, &start);
    if (end == 0 || (start == v->gap_start && end == v->gap_end)) {
        return;
    }
    v->gap_start = start;
    v->gap_end = end;
    gap_put(v, start, end);
    tview_match_forget(v, start, end);
}

void tview_update(struct tview *v, const struct record *r)
{
    uint32_t last = lines_last(r->lines);
    if (r->run != v->run || last < v->seen) {
        tview_reset(v);
        v->run = r->run;
    }
    uint32_t gap_start = 0;
    uint32_t gap_end = lines_gap_end(r->lines, &gap_start);
    uint32_t n = v->seen + 1;
    if (n < lines_first(r->lines)) {
        n = lines_first(r->lines);
    }
    while (last > v->seen && n <= last) {
        struct line line;
        if (gap_end != 0 && n >= gap_start && n < gap_end) {
            n = gap_end;
        }
        if (lines_get(r->lines, n, &line)) {
            groups_add(v, &line);
        }
        if (n == UINT32_MAX) {
            break;
        }
        n++;
    }
    v->seen = last;
    gap_update(v, r);
    tview_match_index(v, r, INDEX_BUDGET);
    if (v->following) {
        v->cursor = tview_spot_last(v, r);
    }
}

uint32_t tview_cursor(const struct tview *v)
{
    return v->cursor.number;
}

bool tview_following(const struct tview *v)
{
    return v->following;
}

uint32_t tview_new_below(const struct tview *v, const struct record *r)
{
    uint32_t last = lines_last(r->lines);
    uint32_t known = v->paused_at > v->bottom ? v->paused_at : v->bottom;
    return v->following || last <= known ? 0 : last - known;
}

void tview_fold(struct tview *v, const struct record *r, enum check_id check, int how)
{
    bool filtering = tview_filtering(v);
    struct spot cursor = tview_spot_fix(v, r, v->following ? tview_spot_last(v, r) : v->cursor);
    size_t at = tview_group_find(v, cursor.number);
    if (how < 0 && at < v->group_count && v->groups[at].check == check) {
        v->groups[at].folded[filtering] = !v->groups[at].folded[filtering];
    } else {
        bool fold = how > 0;
        for (size_t i = v->group_count; how < 0 && i-- > 0;) {
            if (v->groups[i].check == check && !v->groups[i].gap) {
                fold = !v->groups[i].folded[filtering];
                how = fold;
            }
        }
        for (size_t i = 0; i < v->group_count; i++) {
            if (v->groups[i].check == check) {
                v->groups[i].folded[filtering] = fold;
            }
        }
    }
    v->cursor = tview_spot_fix(v, r, cursor);
    v->top = tview_spot_fix(v, r, v->top);
}

void tview_fold_all(struct tview *v, const struct record *r, bool fold)
{
    bool filtering = tview_filtering(v);
    struct spot cursor = tview_spot_fix(v, r, v->following ? tview_spot_last(v, r) : v->cursor);
    for (size_t i = 0; i < v->group_count; i++) {
        bool runs = r->running != CHECK_NONE && i + 1 == v->group_count &&
                    v->groups[i].check == (uint8_t)r->running;
        v->groups[i].folded[filtering] = fold && !runs;
    }
    v->cursor = tview_spot_fix(v, r, cursor);
    v->top = tview_spot_fix(v, r, v->top);
}

void tview_wrap(struct tview *v, bool wrap)
{
    v->wrap = wrap;
    v->column = 0;
    v->top.part = v->cursor.part = 0;
}

bool tview_wrapping(const struct tview *v)
{
    return v->wrap;
}

void tview_scroll_columns(struct tview *v, int columns)
{
    if (v->wrap) {
        return;
    }
    int most = v->longest - tview_text_columns(v);
    int64_t column = columns == INT32_MIN ? 0 : (int64_t)v->column + columns;
    column = column > most ? most : column;
    v->column = column > 0 ? (int)column : 0;
}

void tview_time(struct tview *v, enum tview_time mode)
{
    v->time = mode;
}

enum tview_time tview_time_mode(const struct tview *v)
{
    return v->time;
}

void tview_base64(struct tview *v, bool on)
{
    v->base64 = on;
}

bool tview_base64_on(const struct tview *v)
{
    return v->base64;
}
