#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "lessons.h"
#include "text.h"
#include "views.h"

#define MARK_COLUMNS 4
#define NUMBER_COLUMNS 3
#define NAME_COLUMNS 26

/* A heading, or something to choose: a lesson of the course, or a scenario of a theme. */
struct scenario_row {
    const struct scenario_info *info; /* NULL: a heading */
    const char *theme;                /* of a heading; NULL: the course */
    bool course;
};

static bool passes(const struct scenario_info *info, const char *filter)
{
    return list_contains(info->name, filter) || list_contains(info->title, filter) ||
           list_contains(practice_theme_title(info->theme), filter);
}

static void add_course(struct dialog *d, const struct practice_catalogue *c, const char *filter)
{
    size_t heading = d->count;
    for (const struct scenario_info *info = practice_lesson(c, 1); info != NULL;
         info = practice_lesson(c, info->lesson + 1)) {
        if (!passes(info, filter)) {
            continue;
        }
        if (d->count == heading) {
            d->rows[d->count++] = (struct scenario_row){NULL, NULL, true};
        }
        d->rows[d->count++] = (struct scenario_row){info, NULL, true};
    }
}

static void add_themes(struct dialog *d, const struct practice_catalogue *c, const char *filter)
{
    const char *theme = "";
    for (size_t i = 0; i < c->count; i++) {
        const struct scenario_info *info = &c->p[i];
        if (!passes(info, filter)) {
            continue;
        }
        if (strcmp(theme, info->theme) != 0) {
            theme = info->theme;
            d->rows[d->count++] = (struct scenario_row){NULL, theme, false};
        }
        d->rows[d->count++] = (struct scenario_row){info, NULL, false};
    }
}

void scenarios_fill(struct app *a, struct dialog *d)
{
    const char *filter = lineedit_text(&d->filter);
    d->count = 0;
    if (d->rows != NULL) {
        add_course(d, &a->lessons->catalogue, filter);
        add_themes(d, &a->lessons->catalogue, filter);
    }
}

void scenarios_open(struct app *a, struct dialog *d)
{
    const struct lessons *l = a->lessons;
    if (!lessons_load(a)) {
        return;
    }
    /* Everything may be there twice, in the course and by its theme, and each with a heading of its
     * own. */
    d->rows = calloc(l->catalogue.count * 3 + 1, sizeof(*d->rows));
    if (d->rows == NULL) {
        app_say(a, true, "%s", _("Not enough memory."));
    }
    scenarios_fill(a, d);
    const struct scenario_info *next = lessons_next(l);
    d->cursor = d->count > 1 ? 1 : 0; /* below the first heading */
    for (size_t i = 0; i < d->count && next != NULL; i++) {
        if (d->rows[i].course && d->rows[i].info == next) {
            d->cursor = i;
        }
    }
}

bool scenarios_can_choose(const struct dialog *d, size_t at)
{
    return d->rows[at].info != NULL;
}

void scenarios_choose(struct app *a, struct dialog *d)
{
    if (scenarios_can_choose(d, d->cursor)) {
        lessons_start(a, d->rows[d->cursor].info->name);
    }
}

static void draw_heading(const struct lessons *l, struct canvas *c, struct rect row,
                         const char *theme)
{
    char text[160];
    if (theme == NULL) {
        snprintf(text, sizeof(text), _("The course: %u lessons, %u of them solved"),
                 lessons_count(l), lessons_solved_count(l));
        canvas_label(c, row, row.x, row.y, ROLE_BOLD, text);
    } else {
        canvas_label(c, row, row.x, row.y, ROLE_BOLD, practice_theme_title(theme));
    }
}

void scenarios_draw_row(const struct app *a, const struct dialog *d, struct canvas *c,
                        struct rect row, size_t at)
{
    const struct scenario_row *what = &d->rows[at];
    if (what->info == NULL) {
        draw_heading(a->lessons, c, row, what->theme);
        return;
    }
    bool solved = lesson_is_solved(&a->lessons->progress, what->info->name);
    enum verdict state = solved ? VERDICT_OK : VERDICT_PENDING;
    canvas_str(c, row, row.x, row.y, state_role(state), state_mark(state, c->ascii, 0));
    int x = row.x + MARK_COLUMNS;
    if (what->course) {
        canvas_printf(c, row, x, row.y, ROLE_TEXT, "%2u", what->info->lesson);
        x += NUMBER_COLUMNS;
    } else {
        struct rect left = {x, row.y, NAME_COLUMNS - 1, 1};
        canvas_label(c, left, x, row.y, ROLE_TEXT, what->info->name);
        x += NAME_COLUMNS;
    }
    canvas_label(c, row, x, row.y, ROLE_TEXT, what->info->title);
}
