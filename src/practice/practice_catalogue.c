#include <stdlib.h>
#include <string.h>

#include "practice.h"
#include "scenario.h"
#include "text.h"

_Static_assert(PRACTICE_LESSON_MAX == SCENARIO_LESSON_MAX, "one limit under two names");

/* In the order in which a message meets them. */
static const struct {
    const char *theme, *title;
} themes[] = {
    {"basics", N_("First steps")},
    {"dns", N_("Names and addresses (DNS)")},
    {"sender", N_("Your own address and name")},
    {"network", N_("Connections")},
    {"patience", N_("Servers that let you wait")},
    {"protocol", N_("Broken SMTP")},
    {"tls", N_("Encryption and certificates")},
    {"relay", N_("Relaying")},
    {"login", N_("Logging in")},
    {"policy", N_("Refusals and limits")},
    {"providers", N_("Replies of large mail services")},
    {"hostile", N_("Hostile servers")},
    {"recorded", N_("Recorded runs")},
    {"other", N_("Other")},
};

size_t practice_theme_rank(const char *theme)
{
    size_t i = 0;
    while (i < ARRAY_LEN(themes) && strcmp(themes[i].theme, theme) != 0) {
        i++;
    }
    return i;
}

const char *practice_theme_title(const char *theme)
{
    size_t i = practice_theme_rank(theme);
    return i < ARRAY_LEN(themes) ? _(themes[i].title) : theme;
}

static enum status mistaken(const char *name, const struct error *error, struct scenario_info *out)
{
    memset(out, 0, sizeof(*out));
    char **slots[] = {&out->story, &out->goal, &out->hints, &out->target, &out->options};
    enum status st = str_set(&out->name, name);
    st = st == ST_OK ? str_set(&out->title, error->text) : st;
    st = st == ST_OK ? str_set(&out->theme, "other") : st;
    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(slots); i++) {
        st = str_set(slots[i], "");
    }
    if (st != ST_OK) {
        scenario_info_free(out);
    }
    return st;
}

enum status practice_catalogue_load(const char *data_dir, struct practice_catalogue *out,
                                    struct error *error)
{
    char **names = NULL;
    size_t count = 0;
    memset(out, 0, sizeof(*out));
    enum status st = practice_names(data_dir, &names, error);
    if (st != ST_OK) {
        return st;
    }
    while (names[count] != NULL) {
        count++;
    }
    out->p = calloc(count + 1, sizeof(*out->p));
    st = out->p != NULL ? ST_OK : ST_NOMEM;
    for (size_t i = 0; st == ST_OK && i < count; i++) {
        struct error mistake = {0};
        st = practice_open(data_dir, names[i], NULL, NULL, &out->p[i], &mistake);
        if (st != ST_OK && st != ST_NOMEM) {
            st = mistaken(names[i], &mistake, &out->p[i]);
        }
        out->count += st == ST_OK ? 1 : 0;
    }
    practice_names_free(names);
    if (st != ST_OK) {
        practice_catalogue_free(out);
        return error_set(error, st, 0, _("There is no memory left."));
    }
    return ST_OK;
}

void practice_catalogue_free(struct practice_catalogue *c)
{
    for (size_t i = 0; i < c->count; i++) {
        scenario_info_free(&c->p[i]);
    }
    free(c->p);
    memset(c, 0, sizeof(*c));
}

const struct scenario_info *practice_lesson(const struct practice_catalogue *c, unsigned from)
{
    const struct scenario_info *best = NULL;
    for (size_t i = 0; i < c->count; i++) {
        unsigned lesson = c->p[i].lesson;
        if (lesson != 0 && lesson >= from && (best == NULL || lesson < best->lesson)) {
            best = &c->p[i];
        }
    }
    return best;
}
