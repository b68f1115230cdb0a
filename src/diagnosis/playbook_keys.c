#include "playbook_file.h"

#include <stdlib.h>
#include <string.h>

#include "fill.h"
#include "guide_file.h"
#include "text.h"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"
#define PATTERN_LETTERS NAME_LETTERS ".-*"
#define BLANKS " \t"

static enum status unknown_line(const struct playbook_reader *r)
{
    return error_set(r->error, ST_INVALID, 0,
                     r->node == NULL
                         ? _("%s:%u: expected symptom:, about:, order:, [node], # or an indented line")
                         : _("%s:%u: expected [node], say:, why:, run:, ask:, choice, when, "
                             "otherwise:, explain:, skip:, end:, cause:, who:, do, message:, # or "
                             "an indented line"),
                     r->file, r->line);
}

static bool is_name(const char *text)
{
    size_t n = strspn(text, NAME_LETTERS);
    return n > 0 && n < PLAYBOOK_NAME_MAX && text[n] == '\0';
}

enum status playbook_name_check(const struct playbook_reader *r, const char *text)
{
    if (is_name(text)) {
        return ST_OK;
    }
    return error_set(r->error, ST_INVALID, 0,
                     _("%s:%u: expected a name of small letters, digits and _, at most %d of them"),
                     r->file, r->line, PLAYBOOK_NAME_MAX - 1);
}

static enum status placeholders_check(const struct playbook_reader *r, const char *text)
{
    for (const char *p = strchr(text, '{'); p != NULL; p = strchr(p, '{')) {
        struct span name;
        size_t len = p[1] == '{' ? 2 : fill_placeholder(p, &name);
        if (len == 0 || (p[1] != '{' && name.len >= PLAYBOOK_NAME_MAX)) {
            return error_set(r->error, ST_INVALID, 0,
                             _("%s:%u: expected {name}; a brace itself is written {{"), r->file,
                             r->line);
        }
        p += len;
    }
    return ST_OK;
}

/* Sets the text that is being read, or adds a line to it. */
enum status playbook_text_add(struct playbook_reader *r, const char *text)
{
    enum status st = placeholders_check(r, text);
    if (st != ST_OK) {
        return st;
    }
    char **field = r->field;
    size_t had = *field != NULL ? strlen(*field) : 0;
    size_t at = had > 0 ? had + 1 : 0;
    size_t len = strlen(text);
    if (len > PLAYBOOK_FIELD_MAX || at > PLAYBOOK_FIELD_MAX - len) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: the text is over %u bytes"), r->file,
                         r->line, PLAYBOOK_FIELD_MAX);
    }
    char *whole = realloc(*field, at + len + 1);
    if (whole == NULL) {
        return playbook_no_memory(r);
    }
    if (at > 0) {
        whole[had] = ' ';
    }
    memcpy(whole + at, text, len + 1);
    *field = whole;
    return ST_OK;
}

static enum status text_begin(struct playbook_reader *r, char **slot, const char *key, const char *text)
{
    if (*slot != NULL) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: %s: is there already"), r->file,
                         r->line, key);
    }
    r->field = slot;
    return playbook_text_add(r, text);
}

static enum status kind_set(struct playbook_reader *r, enum playbook_kind kind)
{
    if (r->node->kind != PLAYBOOK_NONE) {
        return error_set(r->error, ST_INVALID, 0,
                         _("%s:%u: [%s] has its run:, ask: or end: already; a node has one of them"),
                         r->file, r->line, r->node->name);
    }
    r->node->kind = kind;
    return ST_OK;
}

static enum status kind_needed(struct playbook_reader *r, unsigned kinds, const char *key, const char *where)
{
    if ((kinds >> r->node->kind & 1u) != 0) {
        return ST_OK;
    }
    return error_set(r->error, ST_INVALID, 0, _("%s:%u: %s: has its place below %s"), r->file,
                     r->line, key, where);
}

#define KIND(k) (1u << (k))

static enum status set_symptom(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    return text_begin(r, &r->book->symptom, "symptom", text);
}

static enum status set_about(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    return text_begin(r, &r->book->about, "about", text);
}

static enum status set_order(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    char *end = NULL;
    unsigned long n = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || n < 1 || n > PLAYBOOK_ORDER_MAX) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected a number from 1 to %d"),
                         r->file, r->line, PLAYBOOK_ORDER_MAX);
    }
    if (r->has_order) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: %s: is there already"), r->file,
                         r->line, "order");
    }
    r->has_order = true;
    r->book->order = (unsigned)n;
    r->field = NULL;
    return ST_OK;
}

static enum status set_say(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    return text_begin(r, &r->node->say, "say", text);
}

static enum status set_why(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    return text_begin(r, &r->node->why, "why", text);
}

static enum status set_run(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    struct playbook_node *n = r->node;
    enum status st = kind_set(r, PLAYBOOK_RUN);
    r->field = NULL;
    while (st == ST_OK && *text != '\0') {
        size_t len = strcspn(text, BLANKS);
        if (n->step_count == PLAYBOOK_STEPS_MAX) {
            return error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d steps"), r->file,
                             r->line, PLAYBOOK_STEPS_MAX);
        }
        char *step = str_ndup(text, len);
        if (step == NULL) {
            return playbook_no_memory(r);
        }
        n->steps[n->step_count++] = step;
        if (r->known != NULL && r->known->step != NULL && !r->known->step(step)) {
            return error_set(r->error, ST_INVALID, 0, _("%s:%u: there is no step %s"), r->file,
                             r->line, step);
        }
        text += len;
        text += strspn(text, BLANKS);
    }
    if (st == ST_OK && n->step_count == 0) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected the names of steps"), r->file,
                         r->line);
    }
    return st;
}

static enum status set_ask(struct playbook_reader *r, const char *argument, const char *text)
{
    bool typed = argument[0] != '\0';
    enum status st = kind_set(r, typed ? PLAYBOOK_FIELD : PLAYBOOK_CHOICE);
    if (st == ST_OK && typed) {
        st = playbook_name_check(r, argument);
    }
    if (st != ST_OK) {
        return st;
    }
    if (typed && r->known != NULL && r->known->field != NULL && !r->known->field(argument)) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: nobody can be asked for %s"), r->file,
                         r->line, argument);
    }
    if (typed && str_set(&r->node->field, argument) != ST_OK) {
        return playbook_no_memory(r);
    }
    return text_begin(r, &r->node->question, "ask", text);
}

static enum status set_choice(struct playbook_reader *r, const char *argument, const char *text)
{
    struct playbook_node *n = r->node;
    enum status st = kind_needed(r, KIND(PLAYBOOK_CHOICE), "choice", "ask:");
    if (st == ST_OK) {
        st = playbook_name_check(r, argument);
    }
    for (size_t i = 0; i < n->choice_count && st == ST_OK; i++) {
        if (strcmp(n->choices[i].name, argument) == 0) {
            st = error_set(r->error, ST_INVALID, 0, _("%s:%u: the choice %s is there already"),
                           r->file, r->line, argument);
        }
    }
    if (st == ST_OK && n->choice_count == PLAYBOOK_CHOICES_MAX) {
        st = error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d choices"), r->file, r->line,
                       PLAYBOOK_CHOICES_MAX);
    }
    if (st != ST_OK) {
        return st;
    }
    struct playbook_choice *choice = &n->choices[n->choice_count++];
    memset(choice, 0, sizeof(*choice));
    choice->name = str_dup(argument);
    if (choice->name == NULL) {
        return playbook_no_memory(r);
    }
    r->field = &choice->text;
    return playbook_text_add(r, text);
}

/* "goto NODE" */
static enum status jump_add(struct playbook_reader *r, const char *text, size_t rule)
{
    static const char word[] = "goto";
    size_t len = sizeof(word) - 1;
    const char *name = text + len;
    name += strspn(name, BLANKS);
    if (strncmp(text, word, len) != 0 || name == text + len || !is_name(name)) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected goto and the name of a node"),
                         r->file, r->line);
    }
    struct playbook_jump *grown = realloc(r->jumps, (r->jump_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return playbook_no_memory(r);
    }
    r->jumps = grown;
    struct playbook_jump *jump = &r->jumps[r->jump_count++];
    *jump = (struct playbook_jump){.node = r->book->count - 1, .rule = rule, .line = r->line};
    str_copy(jump->to, sizeof(jump->to), name);
    return ST_OK;
}

/* "PATTERN [VERDICT...], ..." has a pattern in every part, and nothing that could never match. */
static enum status when_check(const struct playbook_reader *r, const char *when)
{
    const char *p = when;
    for (;;) {
        char pattern[PLAYBOOK_ID_MAX];
        p += strspn(p, BLANKS);
        size_t len = strspn(p, PATTERN_LETTERS);
        size_t part = strcspn(p, ",");
        if (len == 0 || len >= sizeof(pattern) ||
            strspn(p + len, NAME_LETTERS "-" BLANKS) + len != part) {
            return error_set(r->error, ST_INVALID, 0,
                             _("%s:%u: expected PATTERN [VERDICT...], with commas between them"),
                             r->file, r->line);
        }
        memcpy(pattern, p, len);
        pattern[len] = '\0';
        bool chosen = r->node->kind == PLAYBOOK_CHOICE;
        if (!chosen && r->known != NULL && r->known->outcome != NULL &&
            !r->known->outcome(pattern)) {
            return error_set(r->error, ST_INVALID, 0, _("%s:%u: nothing that is called %s exists"),
                             r->file, r->line, pattern);
        }
        p += part;
        if (*p == '\0') {
            return ST_OK;
        }
        p++;
    }
}

static enum status rule_add(struct playbook_reader *r, const char *when, const char *text)
{
    struct playbook_node *n = r->node;
    const char *key = when != NULL ? "when" : "otherwise";
    enum status st =
        kind_needed(r, KIND(PLAYBOOK_RUN) | KIND(PLAYBOOK_CHOICE) | KIND(PLAYBOOK_FIELD), key,
                    "run:, ask:");
    if (st == ST_OK && when != NULL) {
        st = when_check(r, when);
    }
    if (st != ST_OK) {
        return st;
    }
    if (n->rule_count > 0 && n->rules[n->rule_count - 1].when == NULL) {
        return error_set(r->error, ST_INVALID, 0,
                         _("%s:%u: nothing gets here: otherwise: is the last rule of [%s]"),
                         r->file, r->line, n->name);
    }
    if (n->rule_count == PLAYBOOK_RULES_MAX) {
        return error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d rules"), r->file, r->line,
                         PLAYBOOK_RULES_MAX);
    }
    struct playbook_rule *grown = realloc(n->rules, (n->rule_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return playbook_no_memory(r);
    }
    n->rules = grown;
    struct playbook_rule *rule = &n->rules[n->rule_count];
    *rule = (struct playbook_rule){.to = PLAYBOOK_NOWHERE, .line = r->line};
    n->rule_count++;
    r->field = NULL;
    if (str_set(&rule->when, when) != ST_OK) {
        return playbook_no_memory(r);
    }
    return jump_add(r, text, n->rule_count - 1);
}

static enum status set_when(struct playbook_reader *r, const char *argument, const char *text)
{
    return rule_add(r, argument, text);
}

static enum status set_otherwise(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    return rule_add(r, NULL, text);
}

static enum status set_explain(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    struct playbook_node *n = r->node;
    if (n->rule_count == 0) {
        return error_set(r->error, ST_INVALID, 0,
                         _("%s:%u: expected a rule above that explain: belongs to"), r->file,
                         r->line);
    }
    return text_begin(r, &n->rules[n->rule_count - 1].explain, "explain", text);
}

static enum status set_skip(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    enum status st =
        kind_needed(r, KIND(PLAYBOOK_RUN) | KIND(PLAYBOOK_CHOICE) | KIND(PLAYBOOK_FIELD), "skip",
                    "run:, ask:");
    for (size_t i = 0; i < r->jump_count && st == ST_OK; i++) {
        if (r->jumps[i].node == r->book->count - 1 && r->jumps[i].rule == PLAYBOOK_NOWHERE) {
            st = error_set(r->error, ST_INVALID, 0, _("%s:%u: %s: is there already"), r->file,
                           r->line, "skip");
        }
    }
    r->field = NULL;
    return st == ST_OK ? jump_add(r, text, PLAYBOOK_NOWHERE) : st;
}

static enum status set_end(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    enum status st = kind_set(r, PLAYBOOK_END);
    return st == ST_OK ? text_begin(r, &r->node->title, "end", text) : st;
}

static enum status set_cause(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    enum status st = kind_needed(r, KIND(PLAYBOOK_END), "cause", "end:");
    if (st == ST_OK) {
        st = when_check(r, text);
    }
    if (st == ST_OK) {
        st = text_begin(r, &r->node->cause, "cause", text);
        r->field = NULL;
    }
    return st;
}

static enum status who_set(struct playbook_reader *r, const char *word, enum who *who)
{
    if (guide_who(word, strlen(word), who)) {
        return ST_OK;
    }
    return error_set(r->error, ST_INVALID, 0,
                     _("%s:%u: expected client, server, dns, network, third-party, tool or any"),
                     r->file, r->line);
}

static enum status set_who(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    enum status st = kind_needed(r, KIND(PLAYBOOK_END), "who", "end:");
    if (st == ST_OK) {
        st = who_set(r, text, &r->node->who);
    }
    r->node->names_who = st == ST_OK;
    r->field = NULL;
    return st;
}

static enum status set_do(struct playbook_reader *r, const char *argument, const char *text)
{
    struct playbook_node *n = r->node;
    enum who who = WHO_NOBODY;
    enum status st = kind_needed(r, KIND(PLAYBOOK_END), "do", "end:");
    if (st == ST_OK) {
        st = who_set(r, argument, &who);
    }
    if (st == ST_OK && n->todo_count == GUIDE_DO_MAX) {
        st = error_set(r->error, ST_INVALID, 0, _("%s:%u: more than %d steps in [%s]"), r->file,
                       r->line, GUIDE_DO_MAX, n->name);
    }
    if (st != ST_OK) {
        return st;
    }
    struct guide_step *step = &n->todo[n->todo_count++];
    *step = (struct guide_step){.who = who};
    r->field = &step->text;
    return playbook_text_add(r, text);
}

static enum status set_message(struct playbook_reader *r, const char *argument, const char *text)
{
    (void)argument;
    enum status st = kind_needed(r, KIND(PLAYBOOK_END), "message", "end:");
    return st == ST_OK ? text_begin(r, &r->node->message, "message", text) : st;
}

enum argument { ARGUMENT_NONE, ARGUMENT_OPTIONAL, ARGUMENT_NEEDED };

static const struct {
    const char *key;
    bool in_node;
    enum argument argument;
    enum status (*set)(struct playbook_reader *r, const char *argument, const char *text);
} keys[] = {
    {"symptom", false, ARGUMENT_NONE, set_symptom},
    {"about", false, ARGUMENT_NONE, set_about},
    {"order", false, ARGUMENT_NONE, set_order},
    {"say", true, ARGUMENT_NONE, set_say},
    {"why", true, ARGUMENT_NONE, set_why},
    {"run", true, ARGUMENT_NONE, set_run},
    {"ask", true, ARGUMENT_OPTIONAL, set_ask},
    {"choice", true, ARGUMENT_NEEDED, set_choice},
    {"when", true, ARGUMENT_NEEDED, set_when},
    {"otherwise", true, ARGUMENT_NONE, set_otherwise},
    {"explain", true, ARGUMENT_NONE, set_explain},
    {"skip", true, ARGUMENT_NONE, set_skip},
    {"end", true, ARGUMENT_NONE, set_end},
    {"cause", true, ARGUMENT_NONE, set_cause},
    {"who", true, ARGUMENT_NONE, set_who},
    {"do", true, ARGUMENT_NEEDED, set_do},
    {"message", true, ARGUMENT_NONE, set_message},
};

enum status playbook_key(struct playbook_reader *r, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL) {
        return unknown_line(r);
    }
    *colon = '\0';
    char *argument = line + strcspn(line, BLANKS);
    if (*argument != '\0') {
        *argument++ = '\0';
        argument += strspn(argument, BLANKS);
    }
    const char *text = colon + 1 + strspn(colon + 1, BLANKS);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(keys[i].key, line) != 0 || keys[i].in_node != (r->node != NULL)) {
            continue;
        }
        bool given = argument[0] != '\0';
        if (given ? keys[i].argument == ARGUMENT_NONE : keys[i].argument == ARGUMENT_NEEDED) {
            return unknown_line(r);
        }
        if (text[0] == '\0' && keys[i].set != set_run) {
            return error_set(r->error, ST_INVALID, 0, _("%s:%u: expected text after %s:"), r->file,
                             r->line, keys[i].key);
        }
        return keys[i].set(r, argument, text);
    }
    return unknown_line(r);
}

