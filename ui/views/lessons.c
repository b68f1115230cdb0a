#include "lessons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lesson_file.h"
#include "text.h"

enum status lessons_new(struct lessons **out)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? ST_OK : ST_NOMEM;
}

void lessons_free(struct lessons *l)
{
    if (l != NULL) {
        practice_catalogue_free(&l->catalogue);
        scenario_info_free(&l->info);
        free(l);
    }
}

static size_t hint_count(const struct scenario_info *info)
{
    size_t count = info->hints[0] != '\0' ? 1 : 0;
    for (const char *p = info->hints; *p != '\0'; p++) {
        count += *p == '\n' ? 1 : 0;
    }
    return count;
}

static void begin(struct app *a, bool asks)
{
    struct lessons *l = a->lessons;
    lesson_init(&l->now, l->info.name, l->info.expect, l->info.expect_count, hint_count(&l->info),
                asks);
    tview_veil(a->tview, &a->record, lesson_veils(&l->now));
}

void lessons_adopt(struct app *a, const char *scenario)
{
    struct lessons *l = a->lessons;
    struct error error = {0};
    scenario_info_free(&l->info);
    memset(&l->now, 0, sizeof(l->now));
    tview_veil(a->tview, &a->record, false);
    if (scenario != NULL &&
        practice_open(a->options->data_dir, scenario, NULL, NULL, &l->info, &error) == ST_OK) {
        begin(a, false);
    }
}

void lessons_start(struct app *a, const char *scenario)
{
    char name[LESSON_NAME_MAX + 1];
    /* It may lie in a list that is closed here. */
    if (!str_copy(name, sizeof(name), scenario)) {
        return;
    }
    while (a->dialog_count > 0) {
        dialog_close(a);
    }
    if (!app_connect_engine(a, name)) {
        dialog_open_start(a);
        return;
    }
    begin(a, true);
    a->status[0] = '\0';
    a->wish.focus = PANE_STEPS;
    a->wish.zoom = false;
    dialog_open_lesson(a);
}

bool lessons_live(const struct app *a)
{
    return a->lessons->now.phase != LESSON_NONE;
}

bool lessons_veil(const struct app *a)
{
    return lesson_veils(&a->lessons->now);
}

bool lessons_load(struct app *a)
{
    struct lessons *l = a->lessons;
    struct error error = {0};
    if (l->loaded) {
        return true;
    }
    if (practice_catalogue_load(a->options->data_dir, &l->catalogue, &error) != ST_OK) {
        app_say(a, true, "%s", error.text);
        return false;
    }
    lesson_file_read(&l->progress);
    l->loaded = true;
    return true;
}

unsigned lessons_count(const struct lessons *l)
{
    unsigned count = 0;
    const struct scenario_info *info = practice_lesson(&l->catalogue, 1);
    for (; info != NULL; info = practice_lesson(&l->catalogue, info->lesson + 1)) {
        count++;
    }
    return count;
}

unsigned lessons_solved_count(const struct lessons *l)
{
    unsigned count = 0;
    const struct scenario_info *info = practice_lesson(&l->catalogue, 1);
    for (; info != NULL; info = practice_lesson(&l->catalogue, info->lesson + 1)) {
        count += lesson_is_solved(&l->progress, info->name) ? 1 : 0;
    }
    return count;
}

static const struct scenario_info *first_open(const struct lessons *l, unsigned from)
{
    const struct scenario_info *info = practice_lesson(&l->catalogue, from);
    while (info != NULL && lesson_is_solved(&l->progress, info->name)) {
        info = practice_lesson(&l->catalogue, info->lesson + 1);
    }
    return info;
}

const struct scenario_info *lessons_next(const struct lessons *l)
{
    const struct scenario_info *next = first_open(l, l->info.lesson + 1);
    if (next == NULL) {
        next = first_open(l, 1);
    }
    bool same = next != NULL && l->info.name != NULL && strcmp(next->name, l->info.name) == 0;
    return same ? NULL : next;
}

void lessons_heading(const struct app *a, char *out, size_t size)
{
    const struct lessons *l = a->lessons;
    const char *title = l->info.title != NULL ? l->info.title : "";
    if (l->info.lesson != 0 && l->loaded) {
        snprintf(out, size, _("Lesson %u of %u: %s"), l->info.lesson, lessons_count(l), title);
    } else {
        snprintf(out, size, _("Practice: %s"), title);
    }
}

void lessons_hint(const struct scenario_info *info, size_t index, char *out, size_t size)
{
    const char *p = info->hints;
    for (; index > 0 && *p != '\0'; index--) {
        p += strcspn(p, "\n");
        p += *p == '\n' ? 1 : 0;
    }
    snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
}

const struct record_finding *lessons_cause(const struct app *a)
{
    const struct lessons *l = a->lessons;
    const struct finding_kind *cause = l->now.question.kinds[l->now.question.right];
    for (size_t i = 0; i < a->record.finding_count; i++) {
        if (a->record.findings[i].f.kind == cause) {
            return &a->record.findings[i];
        }
    }
    return NULL;
}

void lessons_over(struct app *a)
{
    struct lessons *l = a->lessons;
    const struct record_finding *cause = lessons_cause(a);
    if (l->now.phase == LESSON_SOLVED && !lesson_is_solved(&l->progress, l->info.name)) {
        lesson_set_solved(&l->progress, l->info.name);
        lesson_file_write(&l->progress);
    }
    tview_veil(a->tview, &a->record, lesson_veils(&l->now));
    if (cause != NULL) {
        app_show_step(a, cause->check);
        a->step_moved = true;
        if (cause->f.evidence_count > 0) {
            tview_goto(a->tview, &a->record, cause->f.evidence[cause->f.evidence_count - 1]);
        }
    }
}
