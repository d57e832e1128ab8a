/* FORM(identifier, mnemonic, assembly, kinds of destination and source, outputs, vectors); letters: see generate.c. */

/* MMX, XMM, or both; register and memory source. */
#define MMX(n, k, c) FORM(n##_mr, #n, #n " %mm1, %mm0", k, "mt", c) FORM(n##_mm, #n, #n " (%rsi), %mm0", k, "mt", 10)
#define XMM(n, k, c) FORM(n##_xr, #n, #n " %xmm1, %xmm0", k, "x", c) FORM(n##_xm, #n, #n " (%rsi), %xmm0", k, "x", 10)
#define BOTH(n, k, c) MMX(n, k, c) XMM(n, k, c)
/* Floating point: with MXCSR. */
#define FLOAT(n, k, c) FORM(n##_xr, #n, #n " %xmm1, %xmm0", k, "xf", c) FORM(n##_xm, #n, #n " (%rsi), %xmm0", k, "xf", 20)
#define ALL_FLOAT(n, c) FLOAT(n##ps, "ss", c) FLOAT(n##ss, "ss", c) FLOAT(n##pd, "dd", c) FLOAT(n##sd, "dd", c)
/* With an immediate. */
#define SHIFT_M(n, i) FORM(n##_mi##i, #n, #n " $" #i ", %mm0", "ii", "mt", 20)
#define SHIFT_X(n, i) FORM(n##_xi##i, #n, #n " $" #i ", %xmm0", "ii", "x", 20)
#define SHIFT(n, i, j, l) SHIFT_M(n, i) SHIFT_M(n, j) SHIFT_M(n, l) SHIFT_X(n, i) SHIFT_X(n, j) SHIFT_X(n, l)
#define IMM_M(n, i) FORM(n##_mi##i, #n, #n " $" #i ", %mm1, %mm0", "ii", "mt", 15)
#define IMM_X(n, i) FORM(n##_xi##i, #n, #n " $" #i ", %xmm1, %xmm0", "ii", "x", 15)
#define PREDICATE(n, k, i) FORM(n##_p##i, #n, #n " $" #i ", %xmm1, %xmm0", k, "xf", 100)
#define PREDICATES(n, k) PREDICATE(n, k, 0) PREDICATE(n, k, 1) PREDICATE(n, k, 2) PREDICATE(n, k, 3) \
  PREDICATE(n, k, 4) PREDICATE(n, k, 5) PREDICATE(n, k, 6) PREDICATE(n, k, 7) \
  FORM(n##_m, #n, #n " $1, (%rsi), %xmm0", k, "xf", 20)
/* Stores. */
#define STORE(n, reg) FORM(n##_store_##reg, #n, #n " %" #reg ", (%rsi)", "ii", "M", 10)
#define STORE_MMX(n) FORM(n##_store, #n, #n " %mm1, (%rsi)", "ii", "Mt", 10)

#define INTEGER \
  BOTH(paddb, "ii", 60) BOTH(paddw, "ii", 60) BOTH(paddd, "ii", 60) BOTH(paddq, "ii", 60) \
  BOTH(paddsb, "ii", 100) BOTH(paddsw, "ii", 100) BOTH(paddusb, "ii", 100) BOTH(paddusw, "ii", 100) \
  BOTH(psubb, "ii", 60) BOTH(psubw, "ii", 60) BOTH(psubd, "ii", 60) BOTH(psubq, "ii", 60) \
  BOTH(psubsb, "ii", 100) BOTH(psubsw, "ii", 100) BOTH(psubusb, "ii", 100) BOTH(psubusw, "ii", 100) \
  BOTH(pmullw, "ii", 60) BOTH(pmulhw, "ii", 100) BOTH(pmulhuw, "ii", 100) BOTH(pmuludq, "ii", 60) BOTH(pmaddwd, "ii", 100) \
  BOTH(psadbw, "ii", 100) BOTH(pavgb, "ii", 60) BOTH(pavgw, "ii", 60) \
  BOTH(pminub, "ii", 60) BOTH(pmaxub, "ii", 60) BOTH(pminsw, "ii", 60) BOTH(pmaxsw, "ii", 60) \
  BOTH(pcmpeqb, "ii", 60) BOTH(pcmpeqw, "ii", 60) BOTH(pcmpeqd, "ii", 60) \
  BOTH(pcmpgtb, "ii", 60) BOTH(pcmpgtw, "ii", 60) BOTH(pcmpgtd, "ii", 60) \
  BOTH(packsswb, "ii", 100) BOTH(packuswb, "ii", 100) BOTH(packssdw, "ii", 100) \
  BOTH(pand, "ii", 30) BOTH(pandn, "ii", 30) BOTH(por, "ii", 30) BOTH(pxor, "ii", 30) \
  XMM(andps, "ii", 30) XMM(andnps, "ii", 30) XMM(orps, "ii", 30) XMM(xorps, "ii", 30) \
  XMM(andpd, "ii", 30) XMM(andnpd, "ii", 30) XMM(orpd, "ii", 30) XMM(xorpd, "ii", 30) \
  FORM(pmovmskb_m, "pmovmskb", "pmovmskb %mm1, %eax", "ii", "rt", 40) FORM(pmovmskb_x, "pmovmskb", "pmovmskb %xmm1, %eax", "ii", "r", 40)

#define SHIFTS \
  BOTH(psllw, "ik", 80) BOTH(pslld, "ik", 80) BOTH(psllq, "ik", 80) BOTH(psraw, "ik", 80) BOTH(psrad, "ik", 80) \
  BOTH(psrlw, "ik", 80) BOTH(psrld, "ik", 80) BOTH(psrlq, "ik", 80) \
  SHIFT(psllw, 0, 7, 16) SHIFT(pslld, 1, 31, 32) SHIFT(psllq, 5, 63, 64) SHIFT(psraw, 3, 15, 255) SHIFT(psrad, 9, 31, 32) \
  SHIFT(psrlw, 1, 15, 16) SHIFT(psrld, 17, 31, 32) SHIFT(psrlq, 33, 63, 64) \
  SHIFT_X(pslldq, 0) SHIFT_X(pslldq, 1) SHIFT_X(pslldq, 15) SHIFT_X(pslldq, 16) SHIFT_X(pslldq, 200) \
  SHIFT_X(psrldq, 0) SHIFT_X(psrldq, 1) SHIFT_X(psrldq, 15) SHIFT_X(psrldq, 16) SHIFT_X(psrldq, 200)

#define SHUFFLES \
  BOTH(punpcklbw, "ii", 20) BOTH(punpcklwd, "ii", 20) BOTH(punpckldq, "ii", 20) XMM(punpcklqdq, "ii", 20) \
  BOTH(punpckhbw, "ii", 20) BOTH(punpckhwd, "ii", 20) BOTH(punpckhdq, "ii", 20) XMM(punpckhqdq, "ii", 20) \
  XMM(unpcklps, "ii", 20) XMM(unpckhps, "ii", 20) XMM(unpcklpd, "ii", 20) XMM(unpckhpd, "ii", 20) \
  IMM_M(pshufw, 0x1b) IMM_M(pshufw, 0xe4) IMM_M(pshufw, 0x72) IMM_X(pshufd, 0x1b) IMM_X(pshufd, 0x4e) IMM_X(pshufd, 0x93) \
  IMM_X(pshuflw, 0x1b) IMM_X(pshuflw, 0x4e) IMM_X(pshufhw, 0x93) IMM_X(pshufhw, 0x72) \
  IMM_X(shufps, 0x1b) IMM_X(shufps, 0x4e) IMM_X(shufps, 0xd8) IMM_X(shufpd, 0) IMM_X(shufpd, 1) IMM_X(shufpd, 2) IMM_X(shufpd, 0xff) \
  FORM(pextrw_m1, "pextrw", "pextrw $1, %mm1, %eax", "ii", "rt", 20) FORM(pextrw_m7, "pextrw", "pextrw $7, %mm1, %eax", "ii", "rt", 20) \
  FORM(pextrw_x7, "pextrw", "pextrw $7, %xmm1, %eax", "ii", "r", 20) FORM(pextrw_x10, "pextrw", "pextrw $10, %xmm1, %eax", "ii", "r", 20) \
  FORM(pinsrw_m2, "pinsrw", "pinsrw $2, %ecx, %mm0", "ii", "mt", 20) FORM(pinsrw_m5, "pinsrw", "pinsrw $5, (%rsi), %mm0", "ii", "mt", 20) \
  FORM(pinsrw_x6, "pinsrw", "pinsrw $6, %ecx, %xmm0", "ii", "x", 20) FORM(pinsrw_x9, "pinsrw", "pinsrw $9, (%rsi), %xmm0", "ii", "x", 20) \
  FORM(movmskps_r, "movmskps", "movmskps %xmm1, %eax", "ii", "r", 30) FORM(movmskpd_r, "movmskpd", "movmskpd %xmm1, %eax", "ii", "r", 30)

#define MOVES \
  XMM(movaps, "ii", 10) XMM(movapd, "ii", 10) XMM(movdqa, "ii", 10) XMM(movups, "ii", 10) XMM(movupd, "ii", 10) XMM(movdqu, "ii", 10) \
  XMM(movss, "ii", 10) XMM(movsd, "ii", 10) BOTH(movq, "ii", 10) \
  STORE(movaps, xmm1) STORE(movapd, xmm1) STORE(movdqa, xmm1) STORE(movups, xmm1) STORE(movupd, xmm1) STORE(movdqu, xmm1) \
  STORE(movntps, xmm1) STORE(movntpd, xmm1) STORE(movntdq, xmm1) STORE(movss, xmm1) STORE(movsd, xmm1) \
  STORE(movlps, xmm1) STORE(movlpd, xmm1) STORE(movhps, xmm1) STORE(movhpd, xmm1) STORE(movq, xmm1) STORE(movd, xmm1) \
  STORE(movnti, ecx) STORE(movnti, rcx) STORE_MMX(movntq) STORE_MMX(movq) STORE_MMX(movd) \
  FORM(movlps_l, "movlps", "movlps (%rsi), %xmm0", "ii", "x", 10) FORM(movhps_l, "movhps", "movhps (%rsi), %xmm0", "ii", "x", 10) \
  FORM(movlpd_l, "movlpd", "movlpd (%rsi), %xmm0", "ii", "x", 10) FORM(movhpd_l, "movhpd", "movhpd (%rsi), %xmm0", "ii", "x", 10) \
  FORM(movhlps_r, "movhlps", "movhlps %xmm1, %xmm0", "ii", "x", 10) FORM(movlhps_r, "movlhps", "movlhps %xmm1, %xmm0", "ii", "x", 10) \
  FORM(movd_mr, "movd", "movd %ecx, %mm0", "ii", "mt", 10) FORM(movd_mm, "movd", "movd (%rsi), %mm0", "ii", "mt", 10) \
  FORM(movd_xr, "movd", "movd %ecx, %xmm0", "ii", "x", 10) FORM(movd_xm, "movd", "movd (%rsi), %xmm0", "ii", "x", 10) \
  FORM(movd_rm, "movd", "movd %mm1, %eax", "ii", "rt", 10) FORM(movd_rx, "movd", "movd %xmm1, %eax", "ii", "r", 10) \
  FORM(movq_mg, "movq", "movq %rcx, %mm0", "ii", "mt", 10) FORM(movq_xg, "movq", "movq %rcx, %xmm0", "ii", "x", 10) \
  FORM(movq_gm, "movq", "movq %mm1, %rax", "ii", "rt", 10) FORM(movq_gx, "movq", "movq %xmm1, %rax", "ii", "r", 10) \
  FORM(movq2dq_r, "movq2dq", "movq2dq %mm1, %xmm0", "ii", "xt", 10) FORM(movdq2q_r, "movdq2q", "movdq2q %xmm1, %mm0", "ii", "mt", 10) \
  FORM(maskmovq_r, "maskmovq", "maskmovq %mm1, %mm0", "ii", "Mt", 40) FORM(maskmovdqu_r, "maskmovdqu", "maskmovdqu %xmm1, %xmm0", "ii", "M", 40) \
  FORM(maskmovq_s, "maskmovq", "maskmovq %mm0, %mm1", "ii", "Mt", 40) FORM(maskmovdqu_s, "maskmovdqu", "maskmovdqu %xmm0, %xmm1", "ii", "M", 40) \
  FORM(emms_, "emms", "emms", "ii", "t", 2)

#define ARITHMETIC \
  ALL_FLOAT(add, 300) ALL_FLOAT(sub, 300) ALL_FLOAT(mul, 300) ALL_FLOAT(div, 300) ALL_FLOAT(sqrt, 200) ALL_FLOAT(min, 200) ALL_FLOAT(max, 200) \
  PREDICATES(cmpps, "ss") PREDICATES(cmpss, "ss") PREDICATES(cmppd, "dd") PREDICATES(cmpsd, "dd") \
  FORM(comiss_r, "comiss", "comiss %xmm1, %xmm0", "ss", "cf", 200) FORM(ucomiss_r, "ucomiss", "ucomiss %xmm1, %xmm0", "ss", "cf", 200) \
  FORM(comisd_r, "comisd", "comisd %xmm1, %xmm0", "dd", "cf", 200) FORM(ucomisd_r, "ucomisd", "ucomisd %xmm1, %xmm0", "dd", "cf", 200) \
  FORM(comiss_m, "comiss", "comiss (%rsi), %xmm0", "ss", "cf", 20) FORM(ucomisd_m, "ucomisd", "ucomisd (%rsi), %xmm0", "dd", "cf", 20)

#define TO_GENERAL(n, k) FORM(n##_r32, #n, #n " %xmm1, %eax", k, "rf", 200) FORM(n##_r64, #n, #n " %xmm1, %rax", k, "rf", 200) \
  FORM(n##_m32, #n, #n " (%rsi), %eax", k, "rf", 20)
#define FROM_GENERAL(n) FORM(n##_r32, #n, #n " %ecx, %xmm0", "ii", "xf", 150) FORM(n##_r64, #n, #n " %rcx, %xmm0", "ii", "xf", 150) \
  FORM(n##_m32, #n, #n "l (%rsi), %xmm0", "ii", "xf", 20) FORM(n##_m64, #n, #n "q (%rsi), %xmm0", "ii", "xf", 20)
#define TO_MMX(n, k) FORM(n##_mr, #n, #n " %xmm1, %mm0", k, "mtf", 200) FORM(n##_mm, #n, #n " (%rsi), %mm0", k, "mtf", 20)

#define CONVERSIONS \
  FLOAT(cvtps2pd, "ds", 200) FLOAT(cvtpd2ps, "sd", 200) FLOAT(cvtss2sd, "ds", 200) FLOAT(cvtsd2ss, "sd", 200) \
  FLOAT(cvtdq2ps, "ii", 150) FLOAT(cvtdq2pd, "ii", 100) FLOAT(cvtps2dq, "is", 200) FLOAT(cvttps2dq, "is", 200) \
  FLOAT(cvtpd2dq, "id", 200) FLOAT(cvttpd2dq, "id", 200) \
  TO_MMX(cvtps2pi, "is") TO_MMX(cvttps2pi, "is") TO_MMX(cvtpd2pi, "id") TO_MMX(cvttpd2pi, "id") \
  FORM(cvtpi2ps_r, "cvtpi2ps", "cvtpi2ps %mm1, %xmm0", "ii", "xtf", 150) FORM(cvtpi2ps_m, "cvtpi2ps", "cvtpi2ps (%rsi), %xmm0", "ii", "xtf", 20) \
  FORM(cvtpi2pd_r, "cvtpi2pd", "cvtpi2pd %mm1, %xmm0", "ii", "xtf", 100) FORM(cvtpi2pd_m, "cvtpi2pd", "cvtpi2pd (%rsi), %xmm0", "ii", "xtf", 20) \
  TO_GENERAL(cvtss2si, "is") TO_GENERAL(cvttss2si, "is") TO_GENERAL(cvtsd2si, "id") TO_GENERAL(cvttsd2si, "id") \
  FROM_GENERAL(cvtsi2ss) FROM_GENERAL(cvtsi2sd) \
  FORM(rcpps_r, "rcpps", "rcpps %xmm1, %xmm0", "ss", "af", 200) FORM(rcpss_r, "rcpss", "rcpss %xmm1, %xmm0", "ss", "af", 50) \
  FORM(rsqrtps_r, "rsqrtps", "rsqrtps %xmm1, %xmm0", "ss", "af", 200) FORM(rsqrtss_r, "rsqrtss", "rsqrtss %xmm1, %xmm0", "ss", "af", 50)

#define FORMS INTEGER SHIFTS SHUFFLES MOVES ARITHMETIC CONVERSIONS
