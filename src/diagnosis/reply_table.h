/*
 * reply_table: the tables that the compiler makes of assets/replies.txt. Private to this room.
 *
 * Threads: const data. Ownership: none.
 */
#ifndef SMTPSCOPE_REPLY_TABLE_H
#define SMTPSCOPE_REPLY_TABLE_H

#include "reply_decode.h"
#include "reply_fold.h"

#define RULE_CODES_MAX 8
#define RULE_ENHANCED_MAX 6
#define RULE_VENDORS_MAX 64 /* bits of the mask */

/* ".7.26" is {7, 26, 26}, ".7.500-699" {7, 500, 699}, ".7." {7, 0, 999}. */
struct reply_enhanced {
    uint16_t subject, from, to;
};

/* What a rule leaves open is 0. It stands before all that it wins against. */
struct reply_rule {
    const char *words; /* prepared (reply_fold.h), or NULL */
    uint64_t vendors;  /* bit i: reply_vendors[i] */
    uint16_t grams[FOLD_GRAMS_KEPT];
    uint16_t codes[RULE_CODES_MAX]; /* a single digit: all that begin with it */
    struct reply_enhanced enhanced[RULE_ENHANCED_MAX];
    uint16_t stages; /* bit: enum reply_stage */
    uint16_t cause;  /* in reply_causes */
    uint16_t line;
    uint8_t gram_count, code_count, enhanced_count;
    uint8_t confidence, basis;
};

extern const struct reply_rule reply_rules[];
extern const size_t reply_rule_count;

/* Where a mark is looked for; hosts are compared by their last labels, all else by words. */
enum reply_mark_place { MARK_TEXT, MARK_HOST, MARK_BANNER };

struct reply_mark {
    const char *mark;
    uint16_t grams[FOLD_GRAMS_KEPT];
    uint8_t gram_count, place, vendor;
};

extern const struct reply_vendor reply_vendors[];
extern const size_t reply_vendor_count;
extern const struct reply_mark reply_marks[];
extern const size_t reply_mark_count;
/* By class: an index in reply_causes. CLASS_NONE has none. */
extern const uint16_t reply_class_causes[];

#endif
