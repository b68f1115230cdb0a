#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"
#include "views.h"

#define LABEL_COLUMNS_MIN 9
#define LABEL_COLUMNS_MAX 16
#define FIGURE_COLUMNS 9

/* Milliseconds over which a stage is worth a mark; 0: never. */
static const int slow_ms[TIMING_COUNT] = {
    [TIMING_CONNECT] = 200, [TIMING_BANNER] = 300, [TIMING_TLS] = 500,
};

static const struct timing_span *span_of_timing(const struct record *r, enum timing t)
{
    size_t path = t <= TIMING_PTR ? 0 : r->path_count > 0 ? r->path_count - 1 : 0;
    const struct facts *f = path < r->path_count ? r->paths[path] : NULL;
    if (t > TIMING_PTR) {
        f = record_path(r);
    }
    return f != NULL && f->timings[t].start_us >= 0 ? &f->timings[t] : NULL;
}

/* The longest name of a stage in this language, with a blank before and behind. */
static int label_columns(const struct record *r)
{
    size_t most = LABEL_COLUMNS_MIN;
    for (int t = 0; t < TIMING_COUNT; t++) {
        const char *title = timing_title((enum timing)t);
        size_t columns = escape_columns(title, strlen(title), 0) + 1;
        most = span_of_timing(r, (enum timing)t) != NULL && columns > most ? columns : most;
    }
    return most < LABEL_COLUMNS_MAX ? (int)most : LABEL_COLUMNS_MAX;
}

void view_timings(struct app *a, struct canvas *c, struct rect body)
{
    int64_t first = INT64_MAX, last = 0;
    for (int t = 0; t < TIMING_COUNT; t++) {
        const struct timing_span *s = span_of_timing(&a->record, (enum timing)t);
        if (s != NULL) {
            first = s->start_us < first ? s->start_us : first;
            last = s->start_us + s->length_us > last ? s->start_us + s->length_us : last;
        }
    }
    if (first == INT64_MAX) {
        canvas_str(c, body, body.x + 1, body.y, ROLE_DIM, _("No timings yet."));
        return;
    }
    int64_t scale = last > first ? last - first : 1;
    int label_w = label_columns(&a->record);
    int bar_w = body.w - label_w - FIGURE_COLUMNS - 2;
    bar_w = bar_w < 3 ? 3 : bar_w;
    bool slow = false;
    int row = 0;
    for (int t = 0; t < TIMING_COUNT && row < body.h; t++) {
        const struct timing_span *s = span_of_timing(&a->record, (enum timing)t);
        if (s == NULL) {
            continue;
        }
        int y = body.y + row++;
        struct rect label = {body.x, y, label_w, 1};
        struct rect bar = {body.x + label_w + 1, y, bar_w, 1};
        canvas_label(c, label, body.x + 1, y, ROLE_TEXT, timing_title((enum timing)t));
        canvas_put(c, bar.x - 1, y, ROLE_LINE, GLYPH_VLINE);
        canvas_put(c, bar.x + bar_w, y, ROLE_LINE, GLYPH_VLINE);
        int from = (int)((s->start_us - first) * bar_w / scale);
        int to = (int)((s->start_us + s->length_us - first) * bar_w / scale);
        from = from >= bar_w ? bar_w - 1 : from;
        to = to <= from ? from + 1 : to > bar_w ? bar_w : to;
        for (int x = from; x < to; x++) {
            canvas_str(c, bar, bar.x + x, y, ROLE_TEXT, "#");
        }
        char figure[24];
        duration_text(s->length_us, figure, sizeof(figure));
        bool over = slow_ms[t] > 0 && s->length_us > slow_ms[t] * US_PER_MS;
        slow = slow || over;
        struct rect number = {bar.x + bar_w + 1, y, body.x + body.w - bar.x - bar_w - 1, 1};
        canvas_printf(c, number, number.x, y, over ? ROLE_BOLD : ROLE_TEXT, "%7s %s", figure,
                      over ? "!" : "");
    }
    if (slow && row + 1 < body.h) {
        struct rect note = {body.x + 1, body.y + row + 1, body.w - 1, body.h - row - 1};
        text_wrapped(c, note, 0, ROLE_TEXT,
                     _("! slower than usual: a greeting delay against spam robots, or a slow look-up of names or block lists."),
                     2);
    }
}
