/** What can be said, and which leads it needs: of each group at least one must be usable, or it is withheld. */

import { LEADS } from "./record.js";

export const IN_WORDS = {
  AF: "atrial fibrillation",
  "I-AVB": "first-degree atrioventricular block",
  LBBB: "left bundle branch block",
  Normal: "normal ECG",
  PAC: "premature atrial contraction",
  PVC: "premature ventricular contraction",
  RBBB: "right bundle branch block",
  STD: "ST-segment depression",
  STE: "ST-segment elevation",
};
const NORMAL = "Normal";
export const DIAGNOSES = Object.keys(IN_WORDS);
const RHYTHM = [["II", "V1"]];
const BUNDLE_BRANCH = [["V1", "V2"], ["I", "V5", "V6"]];
const EVERY = LEADS.map((lead) => [lead]);
export const LEADS_NEEDED = {
  AF: RHYTHM,
  "I-AVB": RHYTHM,
  LBBB: BUNDLE_BRANCH,
  Normal: EVERY,
  PAC: RHYTHM,
  PVC: RHYTHM,
  RBBB: BUNDLE_BRANCH,
  STD: EVERY,
  STE: EVERY,
};

/** The positive diagnoses that words state together: Normal only where it is alone. As in Python's diagnoses.py. */
export function stated(positive) {
  const others = positive.filter((name) => name !== NORMAL);
  return others.length ? others : positive;
}

/** What must be said where Normal is positive: that it is no all-clear, or, beside another, that it hardly can be. */
export function aboutNormal({ positive, probabilities, burden }) {
  if (!positive.includes(NORMAL)) return "";
  if (positive.length === 1) {
    const doubt = probabilities[NORMAL] < 0.5 ? "is called at less than even odds, and is" : "is";
    return `normal ECG ${doubt} no all-clear: infarction, hypertrophy and much else are not assessed`;
  }
  const why = burden ? ": parts of the recording may be normal; " : ", and the two seldom go together: ";
  return `normal ECG reaches its threshold too${why}look at the recording`;
}
