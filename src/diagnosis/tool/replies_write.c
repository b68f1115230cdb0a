#include <string.h>

#include "replies_book.h"

/* Octal escapes end after three digits, whatever follows; hexadecimal ones do not. */
static void write_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20 || c > 0x7e) {
            fprintf(out, "\\%03o", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

/* The prepared pattern and its grams: `"words", {1, 2, 3}, 3`. */
static void write_pattern(FILE *out, const char *words)
{
    char pattern[FOLD_WORDS_MAX + 1];
    uint16_t grams[FOLD_GRAMS_KEPT] = {0};
    str_copy(pattern, sizeof(pattern), words);
    fold_pattern_prepare(pattern);
    size_t count = fold_pattern_grams(pattern, grams);
    fputs(".words = ", out);
    write_string(out, pattern);
    fputs(", .grams = {", out);
    for (size_t i = 0; i < FOLD_GRAMS_KEPT; i++) {
        fprintf(out, "%u,", grams[i]);
    }
    fprintf(out, "}, .gram_count = %zu", count);
}

static void write_vendors(const struct book *b, FILE *out)
{
    fputs("const struct reply_vendor reply_vendors[] = {\n", out);
    for (size_t i = 0; i < b->vendor_count; i++) {
        fprintf(out, "    {\"%s\", ", b->vendors[i].id);
        write_string(out, b->vendors[i].name);
        fputs("},\n", out);
    }
    fprintf(out, "    {0},\n};\nconst size_t reply_vendor_count = %zu;\n\n", b->vendor_count);
}

static void write_marks(const struct book *b, FILE *out)
{
    fputs("const struct reply_mark reply_marks[] = {\n", out);
    for (size_t i = 0; i < b->mark_count; i++) {
        const struct book_mark *m = &b->marks[i];
        char pattern[BOOK_TEXT_MAX];
        uint16_t grams[FOLD_GRAMS_KEPT] = {0};
        size_t count = 0;
        str_copy(pattern, sizeof(pattern), m->mark);
        if (m->place != MARK_HOST) {
            fold_pattern_prepare(pattern);
            count = fold_pattern_grams(pattern, grams);
        }
        fputs("    {", out);
        write_string(out, pattern);
        fprintf(out, ", {%u,%u,%u,%u}, %zu, %d, %u},\n", grams[0], grams[1], grams[2], grams[3],
                count, (int)m->place, m->vendor);
    }
    fprintf(out, "    {0},\n};\nconst size_t reply_mark_count = %zu;\n\n", b->mark_count);
}

static void write_causes(const struct book *b, FILE *out)
{
    fputs("const struct reply_cause reply_causes[] = {\n", out);
    for (size_t i = 0; i < b->cause_count; i++) {
        const struct book_cause *c = &b->causes[i];
        fprintf(out, "    {\"reply.%s\", %s, %s, ", c->id, book_class_symbol(c->class),
                book_who_symbol(c->who));
        write_string(out, c->reference);
        fputs("},\n", out);
    }
    fprintf(out, "    {0},\n};\nconst size_t reply_cause_count = %zu;\n\n", b->cause_count);
}

static void write_classes(const struct book *b, FILE *out)
{
    fputs("const uint16_t reply_class_causes[] = {\n", out);
    for (size_t k = 0; book_class_name(k) != NULL; k++) {
        size_t i = 0;
        while (k > 0 && i < b->cause_count &&
               (strncmp(b->causes[i].id, "class.", 6) != 0 || b->causes[i].class != (enum reply_class)k)) {
            i++;
        }
        fprintf(out, "    [%s] = %zu,\n", book_class_symbol(k), i);
    }
    fputs("};\n\n", out);
}

static void write_rule(const struct book_rule *rule, FILE *out)
{
    const struct reply_rule *r = &rule->r;
    fprintf(out, "    {.line = %u, .cause = %u, .confidence = %u, .basis = %u", rule->line, r->cause,
            r->confidence, r->basis);
    if (rule->words != NULL) {
        fputs(", ", out);
        write_pattern(out, rule->words);
    }
    if (r->vendors != 0) {
        fprintf(out, ", .vendors = UINT64_C(0x%llx)", (unsigned long long)r->vendors);
    }
    if (r->stages != 0) {
        fprintf(out, ", .stages = 0x%x", r->stages);
    }
    if (r->code_count > 0) {
        fprintf(out, ", .code_count = %u, .codes = {", r->code_count);
        for (size_t i = 0; i < r->code_count; i++) {
            fprintf(out, "%u,", r->codes[i]);
        }
        fputc('}', out);
    }
    if (r->enhanced_count > 0) {
        fprintf(out, ", .enhanced_count = %u, .enhanced = {", r->enhanced_count);
        for (size_t i = 0; i < r->enhanced_count; i++) {
            fprintf(out, "{%u,%u,%u},", r->enhanced[i].subject, r->enhanced[i].from,
                    r->enhanced[i].to);
        }
        fputc('}', out);
    }
    fputs("},\n", out);
}

bool book_write(const struct book *b, FILE *out)
{
    fputs("/* Made from assets/replies.txt; do not change it here. */\n"
          "#include \"reply_table.h\"\n\n",
          out);
    write_vendors(b, out);
    write_marks(b, out);
    write_causes(b, out);
    write_classes(b, out);
    fputs("const struct reply_rule reply_rules[] = {\n", out);
    for (size_t i = 0; i < b->rule_count; i++) {
        write_rule(&b->rules[i], out);
    }
    fprintf(out, "    {0},\n};\nconst size_t reply_rule_count = %zu;\n", b->rule_count);
    return fflush(out) == 0 && ferror(out) == 0;
}
