/*
 * lessons: the practice network as a course: what is practised, how much of it is veiled, the list
 * behind "Practise" and the boxes of key L.
 *
 * A scenario that is chosen from the list is a lesson: until it is answered or given up, the
 * diagnosis is veiled, and what the steps and the transcript show is left to the learner. With
 * --demo=NAME nothing is veiled.
 *
 * Threads: the face's. Ownership: struct lessons is the app's.
 */
#ifndef SMTPSCOPE_LESSONS_H
#define SMTPSCOPE_LESSONS_H

#include "dialogs.h"
#include "lesson.h"
#include "practice.h"

struct lessons {
    struct practice_catalogue catalogue; /* read when it is first needed */
    struct lesson_progress progress;     /* the file's and this session's */
    bool loaded;
    struct scenario_info info; /* of what is practised; empty for nothing */
    struct lesson now;
};

enum status lessons_new(struct lessons **out) MUST_CHECK;
void lessons_free(struct lessons *l);

/* A network was opened: the practice network with this scenario, or (NULL) the real one. */
void lessons_adopt(struct app *a, const char *scenario);
/* Opens the scenario as a lesson and tells its story; the run begins with Enter. */
void lessons_start(struct app *a, const char *scenario);
/* Is something practised? Then key L has something to tell. */
bool lessons_live(const struct app *a);
bool lessons_veil(const struct app *a);
/* The course is read from here on; false, and says why, when it cannot be read. */
bool lessons_load(struct app *a);
unsigned lessons_count(const struct lessons *l); /* in the course */
unsigned lessons_solved_count(const struct lessons *l);
/* What comes after the present lesson and is not solved yet; NULL: all are. */
const struct scenario_info *lessons_next(const struct lessons *l);
/* "Lesson 7 of 30: Minutes, and then nothing" */
void lessons_heading(const struct app *a, char *out, size_t size);
/* The hint with this index, of `hints`, where they stand line by line. */
void lessons_hint(const struct scenario_info *info, size_t index, char *out, size_t size);
/* The lesson is over: it counts as solved, or it does not. The veil lifts, and the cursor goes to
 * the proof. */
void lessons_over(struct app *a);
/* The finding that was asked for, or NULL as long as the run has not come to it. */
const struct record_finding *lessons_cause(const struct app *a);

/* lesson_boxes.c */
void dialog_open_lesson(struct app *a);
void lesson_press(struct app *a, struct dialog *d, int pressed);
void answer_press(struct app *a, struct dialog *d, int pressed);
void wrong_press(struct app *a, struct dialog *d, int pressed);
void cause_press(struct app *a, struct dialog *d, int pressed);

/* lesson_list.c: the rows of the list */
void scenarios_open(struct app *a, struct dialog *d); /* with the cursor on the next lesson */
void scenarios_fill(struct app *a, struct dialog *d); /* those that the filter lets through */
bool scenarios_can_choose(const struct dialog *d, size_t at); /* no heading */
void scenarios_choose(struct app *a, struct dialog *d);
void scenarios_draw_row(const struct app *a, const struct dialog *d, struct canvas *c,
                        struct rect row, size_t at);

#endif
