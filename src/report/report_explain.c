#include "report_explain.h"

#include "report_json.h"
#include "text.h"

#define put report_json_put

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

/* Nothing was decoded: the same keys, so that readers need no second form. */
static enum status nothing_text(struct guide_text *text)
{
    *text = (struct guide_text){0};
    enum status st = str_set(&text->title, _("No reply of a mail server was found here."));
    return st == ST_OK
               ? str_set(&text->means, _("There is no reply code, and no words that are known."))
               : st;
}

static json_t *temporary_json(const struct bounce_line *line)
{
    char digit = line->code > 0 ? (char)('0' + line->code / 100) : line->enhanced[0];
    if (digit != '4' && digit != '5') {
        return json_null();
    }
    return json_boolean(digit == '4');
}

static bool put_reply(json_t *o, const struct bounce_line *line, const struct reply_verdict *v)
{
    return put(o, "code", line->code > 0 ? json_integer(line->code) : json_null()) &&
           put(o, "enhanced", text_or_null(line->enhanced)) &&
           put(o, "temporary", temporary_json(line)) &&
           put(o, "stage", text_or_null(reply_stage_name(line->stage))) &&
           put(o, "host", line->host[0] != '\0' ? report_json_string(line->host) : json_null()) &&
           put(o, "vendor", text_or_null(v->vendor != NULL ? v->vendor->id : NULL)) &&
           put(o, "basis", text_or_null(reply_basis_name(v->basis))) &&
           put(o, "rule_line", v->rule > 0 ? json_integer(v->rule) : json_null()) &&
           (!v->digits_disagree || put(o, "digits_disagree", json_true())) &&
           (!line->cut || put(o, "cut", json_true()));
}

enum status report_explain_json(struct span shown, const struct bounce_line *line,
                                const struct reply_verdict *verdict, const struct guide *english,
                                struct buf *out)
{
    const struct reply_cause *cause = verdict->cause;
    struct guide_text text;
    enum status st = cause != NULL ? guide_cause(english, cause, &text) : nothing_text(&text);
    if (st != ST_OK) {
        return st;
    }
    bool class = cause != NULL && cause->class != CLASS_NONE;
    const char *who = who_name(cause != NULL ? cause->who : WHO_NOBODY);
    size_t most = shown.len < BOUNCE_LINE_MAX ? shown.len : BOUNCE_LINE_MAX;
    json_t *o = json_object();
    bool ok = o != NULL && put(o, "reply", report_json_bytes(shown.p, most)) &&
              put(o, "class", class ? json_string(reply_class_name(cause->class)) : json_null()) &&
              put(o, "finding", text_or_null(cause != NULL ? cause->id : NULL)) &&
              put(o, "who", json_string(who)) &&
              put(o, "confidence", json_string(confidence_name(verdict->confidence))) &&
              put(o, "title", report_json_string(text.title)) &&
              put(o, "means", report_json_string(text.means)) &&
              put(o, "do", report_json_steps(&text)) &&
              put(o, "reference", text_or_null(cause != NULL ? cause->reference : NULL)) &&
              put(o, "link", text_or_null(text.link)) && put_reply(o, line, verdict);
    guide_text_free(&text);
    if (!ok) {
        json_decref(o);
        o = NULL;
    }
    st = report_json_dump(out, o);
    return st == ST_OK ? buf_add_char(out, '\n') : st;
}
