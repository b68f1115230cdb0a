#include "tview_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "text.h"

/* Narrower panes tell only the result of a step, not its time as well. */
#define RESULT_WITH_TIME_WIDTH 40
/* An expression that hits everywhere must not cost a search for every byte of the screen. */
#define HITS_PER_ROW_MAX 512

/* A fold's result. Names of states, like protocol words: the same in every language. */
static const char *result_word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_RUNNING:
        return "RUN";
    case VERDICT_SKIPPED:
        return "SKIP";
    case VERDICT_ASK:
        return "ASK";
    case VERDICT_STOPPED:
        return "STOP";
    case VERDICT_INCONCLUSIVE:
        return "OPEN";
    case VERDICT_WARN:
        return "WARN";
    case VERDICT_FAIL:
        return "FAIL";
    default:
        return "";
    }
}

static const char *direction(const struct tview_row *row)
{
    switch (row->dir) {
    case DIR_CLIENT:
        return row->tls ? "C~" : "C:";
    case DIR_SERVER:
        return row->tls ? "S~" : "S:";
    case DIR_TLS:
        return "==";
    default:
        return "--";
    }
}

/* Six columns, whatever the time: fewer decimals for longer ones. */
static void seconds_text(int64_t us, char *out, size_t size)
{
    int64_t ms = us > 0 ? us / US_PER_MS : 0;
    ms = ms < INT64_C(999999999) ? ms : INT64_C(999999999);
    int s = (int)(ms / 1000);
    int rest = (int)(ms % 1000);
    if (s < 100) {
        (void)snprintf(out, size, "%2d.%03d", s, rest);
    } else if (s < 1000) {
        (void)snprintf(out, size, "%3d.%02d", s, rest / 10);
    } else if (s < 10000) {
        (void)snprintf(out, size, "%4d.%d", s, rest / 100);
    } else {
        (void)snprintf(out, size, "%6d", s);
    }
}

static void delta_text(int64_t us, char *out, size_t size)
{
    char seconds[16];
    seconds_text(us, seconds, sizeof(seconds));
    const char *digits = seconds + strspn(seconds, " ");
    /* "+0.018" where the plain form has " 0.018". */
    (void)snprintf(out, size, " +%.*s", 5, digits);
}

static void time_text(const struct tview *v, const struct record *r, const struct tview_row *row,
                      char *out, size_t size)
{
    int64_t wall;
    int64_t ms;
    switch (v->time) {
    case TIME_RELATIVE:
        seconds_text(row->t_us, out, size);
        break;
    case TIME_DELTA:
        delta_text(row->delta_us, out, size);
        break;
    case TIME_ABSOLUTE:
        wall = r->started_wall_us + row->t_us;
        ms = wall > 0 ? wall / US_PER_MS % INT64_C(86400000) : 0;
        (void)snprintf(out, size, " %02d:%02d:%02d.%03d", (int)(ms / 3600000),
                       (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
        break;
    default:
        out[0] = '\0';
        break;
    }
}

static void duration_text(int64_t us, char *out, size_t size)
{
    long ms = (long)(us / US_PER_MS);
    if (ms < 10000) {
        (void)snprintf(out, size, "%ldms", ms);
    } else {
        (void)snprintf(out, size, "%ld.%lds", ms / 1000, ms % 1000 / 100);
    }
}

/* The record knows the last time that a step ran; a fold of an earlier time has no result of its
 * own. */
static const struct record_step *step_of(const struct record *r, const struct tview_row *row)
{
    if (row->check >= CHECK_COUNT) {
        return NULL;
    }
    const struct record_step *step = &r->steps[row->check];
    return step->first_line != 0 && row->last_number >= step->first_line ? step : NULL;
}

static void fold_result(const struct record *r, const struct tview_row *row, int width, char *out,
                        size_t size)
{
    const struct record_step *step = step_of(r, row);
    char folded[64] = "";
    char time[32] = "";
    const char *word = "";
    if (row->folded) {
        (void)snprintf(folded, sizeof(folded), _("folded %u"), (unsigned)row->fold_lines);
    }
    if (step != NULL) {
        word = result_word(step->verdict);
        bool done = step->verdict != VERDICT_RUNNING && step->verdict != VERDICT_PENDING;
        if (done && (word[0] == '\0' || width >= RESULT_WITH_TIME_WIDTH)) {
            duration_text(step->elapsed_us, time, sizeof(time));
        }
    }
    (void)snprintf(out, size, "%s%s%s%s%s", folded,
                   folded[0] != '\0' && word[0] != '\0' ? "  " : "", word,
                   (folded[0] != '\0' || word[0] != '\0') && time[0] != '\0' ? "  " : "", time);
}

static void draw_fold(const struct record *r, struct canvas *c, struct rect row,
                      const struct tview_row *what, unsigned spin)
{
    static const char *const spins[] = {"[|]", "[/]", "[-]", "[\\]"};
    char result[160];
    const struct record_step *step = step_of(r, what);
    bool runs = step != NULL && step->verdict == VERDICT_RUNNING;
    fold_result(r, what, row.w, result, sizeof(result));
    int columns = (int)escape_columns(result, strlen(result), c->ascii ? ESCAPE_ASCII : 0);
    const char *mark = runs ? spins[spin % ARRAY_LEN(spins)] : what->folded ? "[+]" : "[-]";
    canvas_str(c, row, row.x, row.y, runs ? ROLE_MARK_RUN : ROLE_TEXT, mark);
    struct rect name = {row.x + 4, row.y, row.w - 4 - columns - 1, 1};
    if (what->check < CHECK_COUNT) {
        canvas_printf(c, name, name.x, row.y, ROLE_BOLD, "%u %s", (unsigned)what->check + 1,
                      _(checks[what->check].title));
    } else {
        canvas_str(c, name, name.x, row.y, ROLE_BOLD,
                   (what->flags & LINE_MANUAL) != 0 ? _("Typed by hand") : _("Connection"));
    }
    if (columns < row.w - 4) {
        canvas_str(c, row, row.x + row.w - columns, row.y, ROLE_TEXT, result);
    }
}

static void draw_gap(struct canvas *c, struct rect row, const struct tview_row *what)
{
    char text[160];
    (void)snprintf(text, sizeof(text),
                   Q_("%lu line is not kept any more", "%lu lines are not kept any more",
                      (unsigned long)what->fold_lines),
                   (unsigned long)what->fold_lines);
    canvas_str(c, row, row.x, row.y, ROLE_DIM, "...");
    canvas_str(c, row, row.x + 4, row.y, ROLE_DIM, text);
}

/* Marks the hits that lie on this row. x is the column of the row's first byte, to the left of the
   pane when it is scrolled. */
static void draw_hits(struct tview *v, struct canvas *c, struct rect area, const struct shown *s,
                      size_t from, size_t to, int x)
{
    size_t begin = 0;
    size_t end = 0;
    size_t at = from;
    int left_over = HITS_PER_ROW_MAX;
    /* A hit may begin in the row above. */
    size_t first = from > FIND_TEXT_MAX ? from - FIND_TEXT_MAX : 0;
    bool hit = tview_match_text(&v->match, s->p, s->raw, first, &begin, &end);
    while (hit && at < to) {
        if (end <= at) {
            /* An empty hit of an expression moves on by one, or it would be found for ever. */
            size_t next = end > begin ? end : end + 1;
            hit = left_over-- > 0 && next <= s->raw &&
                  tview_match_text(&v->match, s->p, s->raw, next, &begin, &end);
            continue;
        }
        struct escape_cell piece;
        escape_next(s->p + at, to - at, c->ascii ? ESCAPE_ASCII : 0, &piece);
        if (begin < at + piece.consumed && end > at) {
            int left = x > area.x ? x : area.x;
            int right = x + piece.columns < area.x + area.w ? x + piece.columns : area.x + area.w;
            canvas_role(c, (struct rect){left, area.y, right - left, 1}, ROLE_HIT);
        }
        x += piece.columns;
        at += piece.consumed;
    }
}

static enum role text_role(const struct tview_row *what)
{
    if ((what->flags & LINE_PROBLEM) != 0) {
        return ROLE_PROBLEM;
    }
    return ROLE_TEXT;
}

static void draw_text(struct tview *v, struct canvas *c, struct rect area, const struct shown *s,
                      const struct tview_row *what)
{
    enum role role = text_role(what);
    int skip = v->wrap ? 0 : v->column;
    size_t from = what->shown_from;
    size_t border = what->to > from ? what->to : from;
    int drawn = canvas_text(c, area, area.x, area.y, role, s->p + from, border - from, skip);
    if (border < what->shown_to) {
        int columns = tview_shown_columns(v, s->p + from, border - from);
        int before = columns > skip ? drawn : 0;
        canvas_text(c, area, area.x + before, area.y, ROLE_DIM, s->p + border,
                    what->shown_to - border, skip > columns ? skip - columns : 0);
    }
    if (!v->wrap) {
        int columns = tview_shown_columns(v, s->p, s->len);
        if (skip > 0 && columns > 0) {
            canvas_str(c, area, area.x, area.y, ROLE_DIM, "<");
        }
        if (columns - skip > area.w) {
            canvas_str(c, area, area.x + area.w - 1, area.y, ROLE_DIM, ">");
        }
    }
}

static void draw_line(struct tview *v, const struct record *r, struct canvas *c, struct rect row,
                      const struct tview_row *what, bool focus)
{
    struct line line;
    if (!lines_get(r->lines, what->number, &line)) {
        return;
    }
    int prefix = tview_prefix_columns(v);
    struct rect area = {row.x + prefix, row.y, row.w - prefix, 1};
    if (prefix > 0 && what->part == 0) {
        char time[24];
        time_text(v, r, what, time, sizeof(time));
        if ((what->flags & LINE_PROBLEM) != 0) {
            canvas_str(c, row, row.x, row.y, ROLE_PROBLEM, "!");
        }
        if (tview_time_columns(v) > 0) {
            canvas_str(c, row, row.x + 1, row.y, ROLE_DIM, time);
        }
        canvas_str(c, row, area.x - 3, row.y, text_role(what), direction(what));
    } else if (prefix > 0) {
        canvas_str(c, row, area.x - 2, row.y, ROLE_DIM, "|");
    }
    struct shown s = tview_shown_text(v, r, &line);
    draw_text(v, c, area, &s, what);
    if (what->cursor) {
        canvas_role(c, row, focus ? ROLE_CURSOR_ROW : ROLE_CURSOR_ROW_DIM);
    }
    /* After the cursor's role: a hit must be seen in the selected row too. */
    int skip = v->wrap ? 0 : v->column;
    draw_hits(v, c, area, &s, what->shown_from, what->to, area.x - skip);
}

static void draw_cursor(struct canvas *c, struct rect row, const struct tview_row *what, bool focus)
{
    if (what->kind != ROW_LINE) {
        canvas_role(c, row, focus ? ROLE_CURSOR_ROW : ROLE_CURSOR_ROW_DIM);
    }
    if (focus) {
        c->cursor_x = row.x;
        c->cursor_y = row.y;
    }
}

void tview_draw(struct tview *v, const struct record *r, struct canvas *c, struct rect body,
                bool focus, unsigned spin)
{
    if (body.w <= 0 || body.h <= 0) {
        return;
    }
    if (v->ascii != c->ascii) {
        v->ascii = c->ascii;
        v->top.part = v->cursor.part = 0;
    }
    if (body.h > v->row_cap) {
        struct tview_row *rows = realloc(v->rows, (size_t)body.h * sizeof(*rows));
        if (rows == NULL) {
            return;
        }
        v->rows = rows;
        v->row_cap = body.h;
    }
    tview_rows(v, r, body.w, body.h, v->rows);
    for (int y = 0; y < body.h; y++) {
        const struct tview_row *what = &v->rows[y];
        struct rect row = {body.x, body.y + y, body.w, 1};
        switch (what->kind) {
        case ROW_LINE:
            draw_line(v, r, c, row, what, focus);
            break;
        case ROW_FOLD:
            draw_fold(r, c, row, what, spin);
            break;
        case ROW_GAP:
            draw_gap(c, row, what);
            break;
        default:
            break;
        }
        if (what->cursor) {
            draw_cursor(c, row, what, focus);
        }
    }
}
