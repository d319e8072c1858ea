/** Invented people for `passito demo`, told by a number: the same number is always the same person. */

type Gender = 'male' | 'female';

/** First names in the scripts that the gate pass brings fonts for. Family names go with either gender. */
const LATIN = {
  female: [
    'Asha', 'Lakshmi', 'Zoya', 'Priya', 'Ananya', 'Divya', 'Fathima', 'Mary', 'Keerthana', 'Sneha',
    'Nandini', 'Gayathri', 'Harini', 'Ishita', 'Kavya', 'Meghana', 'Nisha', 'Pooja', 'Revathi', 'Swathi',
  ],
  male: [
    'Imran', 'Joseph', 'Arjun', 'Karthik', 'Rohit', 'Sanjay', 'Vignesh', 'Aditya', 'Bharath', 'Deepak',
    'Farhan', 'Gokul', 'Harish', 'Irfan', 'Jacob', 'Kiran', 'Manoj', 'Naveen', 'Prakash', 'Surya',
  ],
  family: [
    'Verma', 'Narayanan', 'Khan', 'Sharma', 'Iyer', 'Reddy', 'Fernandes', 'Nair', 'Das', 'Menon', 'Patel', 'Rao',
    'Pillai', 'Banerjee', 'Kumar', 'Thomas', 'Subramaniam', 'Gupta', 'Chandrasekaran', 'Sheikh', 'Krishnan',
    'Joshi', 'Mukherjee', "D'Souza", 'Bhat',
  ],
} as const; // prettier-ignore

/** Tamil names have an initial, the father's, in front. */
const TAMIL = {
  female: ['கவிதா', 'மீனாட்சி', 'தமிழ்ச்செல்வி', 'பூங்கோதை', 'யாழினி', 'நித்யா', 'அகிலா', 'வெண்ணிலா'],
  male: ['கார்த்திகேயன்', 'முத்துக்குமார்', 'இளங்கோவன்', 'சரவணன்', 'வேல்முருகன்', 'பாலாஜி', 'அன்பழகன்', 'செந்தில்'],
  initials: ['க.', 'மு.', 'செ.', 'ரா.', 'பா.', 'வி.', 'சு.'],
} as const; // prettier-ignore

const DEVANAGARI = {
  female: ['प्रिया', 'अंजलि', 'श्रद्धा', 'नेहा', 'ऋतुजा', 'काव्या', 'ज्योति', 'मृणाल'],
  male: ['राहुल', 'अमित', 'विक्रम', 'सिद्धार्थ', 'हृतिक', 'कृष्ण', 'नीरज', 'पृथ्वी'],
  family: ['शर्मा', 'मिश्रा', 'कुलकर्णी', 'देशपांडे', 'त्रिपाठी', 'वर्मा', 'चतुर्वेदी'],
} as const;

/** Names that try the room on a pass. */
const LONG: Readonly<Record<string, string>> = {
  'female 35': 'Venkata Naga Satya Lakshmi Durga Bhavani Sree Harshitha Chakravarthula',
  'female 40': 'திருஞானசம்பந்தமூர்த்தி வேங்கடேசப்பெருமாள் இராஜராஜேஸ்வரி மீனாட்சிசுந்தரம்',
  'male 67': 'Thiruvalluvar Arunachalam Senthilnathan Ilangovan Periyasamy Subramaniya Bharathiyar',
  'male 47': 'अभिमन्युप्रताप विश्वनाथप्रसाद राजेंद्रनारायण सिंह चतुर्वेदी',
};

/** The n-th student of a gender. Of every six one has a Tamil name, of every seven one a Devanagari one. */
export function nameOf(gender: Gender, n: number): string {
  const long = LONG[`${gender} ${n}`];
  if (long !== undefined) return long;
  if (n % 6 === 2) {
    const k = (n - 2) / 6;
    return `${pick(TAMIL.initials, k)} ${pick(TAMIL[gender], k)}`;
  }
  if (n % 7 === 3) {
    const k = (n - 3) / 7;
    return `${pick(DEVANAGARI[gender], k)} ${pick(DEVANAGARI.family, k)}`;
  }
  // Each round through the first names begins one later, so that nobody's name comes twice.
  const round = Math.floor(n / LATIN[gender].length);
  return `${pick(LATIN[gender], n + round)} ${pick(LATIN.family, gender === 'male' ? n + 11 : n)}`;
}

function pick(list: readonly string[], n: number): string {
  return list[n % list.length] as string;
}
