/** The pure parts of asking a parent: numbers, tokens, the SMS, where a link stands, the page. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import { parentPage, thanksPage } from '../../src/outpass/parent/page.ts';
import { dialNumber, readCountryCode } from '../../src/outpass/parent/phone.ts';
import { linkState, type ParentPageFacts } from '../../src/outpass/parent/link.ts';
import { DEFAULT_SMS, readSmsTemplate, smsText } from '../../src/outpass/parent/sms.ts';
import { parentToken, TOKEN_FORM, tokenHash } from '../../src/outpass/parent/token.ts';
import { wayToParent } from '../../src/outpass/parent/way.ts';
import type { PassStatus } from '../../src/outpass/office.ts';
import { openOffice, parents, settings } from '../tools/office.ts';

describe('a written number', () => {
  for (const [written, number] of [
    ['98400 12345', '+919840012345'],
    ['098400-12345', '+919840012345'],
    ['00098400 12345', '+919840012345'],
    ['+91 98400 12345', '+919840012345'],
    ['+1-202-555-0143', '+12025550143'],
  ] as const) {
    test(`${written} → ${number}`, () => {
      assert.deepEqual(dialNumber(written, '+91'), { number });
    });
  }
  for (const written of [
    '1234567',
    '+',
    '',
    '98400x12345',
    '+98400 12345 98400 12345',
    '+0',
    '12345678901234',
  ]) {
    test(`${written} cannot be dialled`, () => {
      const said = dialNumber(written, '+91');
      assert.ok('wrong' in said && said.wrong.includes(written));
    });
  }
  test('always comes out as + and 10 to 15 digits, or not at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789 -+'.split('')) }), (written) => {
        const said = dialNumber(written, '+91');
        assert.ok('wrong' in said || /^\+\d{10,15}$/.test(said.number));
      }),
    );
  });
  test('a country code is taken with its plus or without', () => {
    assert.deepEqual(['+91', '91', '0091', '+0', 'IN', ''].map(readCountryCode), [
      '+91',
      '+91',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a link’s token', () => {
  const secret = Buffer.alloc(32, 7);
  const source = { id: 5, issue: 1, createdAt: '2026-11-20 10:00:00.000' };

  test('is the same for the same question, and another for any other', () => {
    const token = parentToken(secret, source);
    assert.match(token, TOKEN_FORM);
    assert.equal(parentToken(secret, { ...source }), token);
    const others = [
      parentToken(secret, { ...source, id: 6 }),
      parentToken(secret, { ...source, issue: 2 }),
      parentToken(secret, { ...source, id: 51, issue: 1 }),
      parentToken(secret, { ...source, createdAt: '2026-11-20 10:00:00.001' }),
      parentToken(Buffer.alloc(32, 8), source),
    ];
    assert.equal(new Set([token, ...others]).size, 6);
    assert.match(tokenHash(token), /^[\da-f]{64}$/);
  });
});

describe('the SMS', () => {
  const facts = {
    student_name: 'Asha Verma',
    purpose: "Sister's wedding",
    verification_link: 'https://x.edu/parent/abc',
  };

  test('tells who, why and where to answer', () => {
    assert.equal(
      smsText(DEFAULT_SMS, facts),
      "Asha Verma asks to leave the hostel: Sister's wedding. Please answer: https://x.edu/parent/abc",
    );
  });
  test('takes nothing that a student wrote for a placeholder, keeps to one line, and shortens a novel', () => {
    const text = smsText('{student_name}|{purpose}|{verification_link}|{other}', {
      ...facts,
      student_name: '{verification_link}$&',
      purpose: `line\none ${'long '.repeat(100)}`,
    });
    const [name, purpose, link, other] = text.split('|');
    assert.deepEqual([name, link, other], ['{verification_link}$&', facts.verification_link, '{other}']);
    assert.match(purpose!, /^line one long .{0,70}…$/);
    assert.ok(purpose!.length <= 80);
  });
  test('a template must hold the link', () => {
    assert.equal(readSmsTemplate('Please call us, {student_name}'), undefined);
    assert.equal(readSmsTemplate('{verification_link}'), '{verification_link}');
  });
});

describe('where a link stands', () => {
  const now = '2026-11-20 10:00:00.000';
  const open = { decision: null, status: 'parent_pending', expiresAt: '2026-11-20 10:00:00.001' } as const;
  test('open until its time, answered once, closed when the pass waits no more', () => {
    assert.equal(linkState(open, now), 'open');
    assert.equal(linkState({ ...open, expiresAt: now }, now), 'expired');
    assert.equal(linkState({ ...open, status: 'cancelled' }, now), 'closed');
    assert.equal(linkState({ ...open, decision: 'parent_denied', status: 'rejected' }, now), 'answered');
  });
});

describe('the way to a parent', () => {
  const account = { url: 'https://x', sid: 'AC1', authToken: 't', from: '+1' };
  test('is SMS where that works, else mail, else nothing, with the reason', async (t) => {
    const { office } = await openOffice(t);
    const pass = (await office.pass(1))!;
    const parent = (phone: string | null, email: string | null) => ({
      ...pass,
      student: { ...pass.student, parent: { phone, email } },
    });
    const withSms = { ...parents, twilio: account };
    assert.deepEqual(wayToParent(parent('98400 12345', 'p@x.in'), withSms), {
      channel: 'sms',
      to: '+919840012345',
    });
    assert.deepEqual(wayToParent(parent('98400 12345', 'p@x.in'), parents), {
      channel: 'mail',
      to: 'p@x.in',
    });
    assert.deepEqual(wayToParent(parent(null, 'p@x.in'), withSms), { channel: 'mail', to: 'p@x.in' });
    assert.deepEqual(wayToParent(parent('98400 12345', 'p@x.in'), withSms, 'mail'), {
      channel: 'mail',
      to: 'p@x.in',
    });
    const wrong = (...args: Parameters<typeof wayToParent>) => {
      const way = wayToParent(...args);
      return 'wrong' in way ? way.wrong : way.to;
    };
    assert.match(
      wrong(parent(null, null), withSms),
      /no parent's number is known of 21CS001; and no parent's e-mail/,
    );
    assert.match(
      wrong(parent('98400 12345', 'p@x.in'), parents, 'sms'),
      /TWILIO_SID, TWILIO_AUTH_TOKEN and TWILIO_FROM/,
    );
    assert.match(wrong(parent('123', null), withSms, 'sms'), /'123' is no number that can be dialled/);
  });
});

describe('the parent’s page', () => {
  test('shows what was written as text, whatever it holds', async (t) => {
    const { office } = await openOffice(t);
    const pass = (await office.pass(1))!;
    const evil = '</dd><script>alert(1)</script>"\'&{{x}}';
    const facts: ParentPageFacts = {
      state: 'open',
      decision: null,
      expiresAt: '2026-11-20 10:00:00.000',
      pass: {
        ...pass,
        purpose: evil,
        destination: evil,
        reference: evil,
        student: { ...pass.student, name: evil, hostel: evil },
      },
    };
    const shown = [
      parentPage(facts, { ...settings, institutionName: evil }),
      parentPage({ ...facts, state: 'closed' }, settings),
      thanksPage(facts, settings, 'parent_denied'),
    ];
    for (const { html } of shown) {
      assert.doesNotMatch(html, /<script/);
      assert.ok(html.includes('&lt;script&gt;'));
    }
  });

  test('tells who said yes what has become of the pass since', async (t) => {
    const { office } = await openOffice(t);
    const pass = (await office.pass(1))!;
    const said = (status: PassStatus) => {
      const facts = {
        state: 'answered',
        decision: 'parent_approved',
        expiresAt: '2026-11-20 10:00:00.000',
      } as const;
      const { html } = parentPage({ ...facts, pass: { ...pass, status } }, settings);
      return /is noted\. (.*)<\/p>/.exec(html)?.[1];
    };
    assert.equal(said('parent_approved'), 'The hostel office decides next.');
    for (const status of ['approved', 'rejected', 'cancelled', 'expired'] as const) {
      assert.equal(said(status), `The outpass is ${status}.`);
    }
  });
});
